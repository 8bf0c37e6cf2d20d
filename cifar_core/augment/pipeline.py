"""A spec as an albumentations pipeline, one image at a time, and its data set for loader workers.

Each operation's draws for an image depend only on (seed, epoch, index) and its position in the
spec: they are the same for any number of workers, differ between epochs, and no two operations
share any. By default albumentations 2.0.8 gives every worker the same stream and repeats it each
epoch, and its `Compose.set_random_seed` gives every operation the same stream.
"""

import os
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from cifar_core.augment.albumentations_calls import Call, Color, calls_of
from cifar_core.augment.spec import AugmentSpec
from cifar_core.errors import ConfigError
from cifar_core.system.seeds import Purpose
from cifar_core.validation import shown


def compose(spec: AugmentSpec, mean: Color, mark_filled: bool = False) -> Any:
    """Builds an albumentations.Compose of the pixel operations.

    Args:
        mean: Mean color of the data, 0..255, for a cutout with fill "mean".
        mark_filled: Mark holes in the mask, as borders are anyway; images stay the same.

    Raises:
        ConfigError: if albumentations rejects a value, or would ignore it with a warning.
    """
    import cv2

    cv2.setNumThreads(0)
    steps = [build(call, mark_filled) for call in calls_of(spec, mean)]
    return library().Compose(steps, save_applied_params=True)


def library() -> Any:
    """Imports albumentations, with its check for updates over the network turned off."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations


def build(call: Call, mark_filled: bool = False) -> Any:
    """Builds the transform of a call; `mark_filled` as in `compose`.

    Raises:
        ConfigError: if albumentations rejects a value, or would ignore it with a warning.
    """
    members = [[build(member, mark_filled) for member in call.members]] if call.members else []
    fill_mask = {"fill_mask": 0} if mark_filled and call.name in _DROPOUT else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return getattr(library(), call.name)(*members, **call.params, **fill_mask)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, Warning) as error:
        reason = _reason(error, call.params)
        raise ConfigError(f"albumentations rejects {call.name}: {reason}.") from None


def _reason(error: Exception, params: dict[str, Any]) -> str:
    """Why, in one line: of what the library's own models refuse, the first argument."""
    if not isinstance(error.__cause__, ValidationError):
        return " ".join(str(error).split()).removesuffix(".")[:300]
    detail = error.__cause__.errors()[0]
    name = str(detail["loc"][0]) if detail["loc"] else ""
    what = f"{name} = {shown(params[name])}; " if name in params else ""
    reason = " ".join(detail["msg"].removeprefix("Value error, ").split())
    return f"{what}{reason}".removesuffix(".")[:300]


_DROPOUT = ("CoarseDropout", "GridDropout")


class AugmentedImages:
    """Maps (epoch, index) to an augmented image; the data set of the loader workers.

    The epoch is part of the key, not of the object, so that workers can live for the whole run.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        spec: AugmentSpec,
        mean: Color,
        seed: int,
        mark_filled: bool = False,
    ) -> None:
        self.images = images
        self.compose = compose(spec, mean, mark_filled)
        self.steps = list(_steps(self.compose))
        self.seed = seed
        self.extra_targets = {"mask": np.ones(images.shape[1:3], np.uint8)} if mark_filled else {}

    def __getitem__(self, key: tuple[int, int]) -> NDArray[np.uint8]:
        return self.augment(*key)["image"]

    def augment(self, epoch: int, index: int) -> dict[str, Any]:
        """The result of albumentations: "image", and "applied_transforms" with their values.

        With `mark_filled` also "mask", (32, 32) uint8, 0 at borders and holes.
        """
        path = [self.seed, int(Purpose.AUGMENT), epoch, index]
        words = np.random.SeedSequence(path).generate_state(len(self.steps), np.uint64)
        for step, word in zip(self.steps, words.tolist(), strict=True):
            # A container seeds its members too; `_steps` lists those later, so theirs count.
            step.set_random_state(np.random.default_rng(word), random.Random(word))
        return self.compose(image=np.asarray(self.images[index]), **self.extra_targets)


def _steps(step: Any) -> Iterator[Any]:
    """A pipeline or transform and all its members, containers first."""
    yield step
    if isinstance(step, library().BaseCompose):
        for member in step.transforms:
            yield from _steps(member)
