"""A spec as an albumentations pipeline, one image at a time, and its data set for loader workers.

Each operation's draws for an image come from (seed, epoch, index) and its place in the spec alone:
they are the same for any number of workers, differ between epochs, and no two operations share
any. albumentations 2.0.8 left to itself gives every worker the same stream and repeats it each
epoch, and its `Compose.set_random_seed` gives every operation the same one.
"""

import os
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.albumentations_calls import Call, Colour, calls_of
from cifar_core.augment.spec import AugmentSpec
from cifar_core.errors import ConfigError
from cifar_core.system.seeds import Purpose


def compose(spec: AugmentSpec, mean: Colour, mark_filled: bool = False) -> Any:
    """Builds an albumentations.Compose of the pixel operations.

    Args:
        mean: The data's mean colour, 0..255, for a cutout with fill "mean".
        mark_filled: Let holes show in a mask, as borders do anyway; images stay the same.

    Raises:
        ConfigError: if albumentations refuses a value, or would ignore it with a warning.
    """
    import cv2

    cv2.setNumThreads(0)
    steps = [build(call, mark_filled) for call in calls_of(spec, mean)]
    return library().Compose(steps, save_applied_params=True)


def library() -> Any:
    """albumentations, which else asks the network when it is imported."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations


def build(call: Call, mark_filled: bool = False) -> Any:
    """The transform that a call makes; `mark_filled` as in `compose`.

    Raises:
        ConfigError: if albumentations refuses a value, or would ignore it with a warning.
    """
    held = [[build(member, mark_filled) for member in call.members]] if call.members else []
    marks = {"fill_mask": 0} if mark_filled and call.name in _WITH_HOLES else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return getattr(library(), call.name)(*held, **call.params, **marks)
    except (TypeError, ValueError, Warning) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"albumentations refuses {call.name}: {reason}") from None


_WITH_HOLES = ("CoarseDropout", "GridDropout")


class AugmentedImages:
    """Maps (epoch, index) to an augmented image; what loader workers hold.

    The epoch is part of the key, not of the object, so that workers may live for the whole run.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        spec: AugmentSpec,
        mean: Colour,
        seed: int,
        mark_filled: bool = False,
    ) -> None:
        self.images = images
        self.compose = compose(spec, mean, mark_filled)
        self.steps = list(_steps(self.compose))
        self.seed = seed
        self.also = {"mask": np.ones(images.shape[1:3], np.uint8)} if mark_filled else {}

    def __getitem__(self, key: tuple[int, int]) -> NDArray[np.uint8]:
        return self.augment(*key)["image"]

    def augment(self, epoch: int, index: int) -> dict[str, Any]:
        """The augmented image and, under "applied_transforms", what fired with which values.

        Under "mask", if asked for, (32, 32) uint8: 0 where there is a border or a hole.
        """
        path = [self.seed, int(Purpose.AUGMENT), epoch, index]
        words = np.random.SeedSequence(path).generate_state(len(self.steps), np.uint64)
        for step, word in zip(self.steps, words.tolist(), strict=True):
            # Of a step that holds others, they are set after it: `_steps` names them later.
            step.set_random_state(np.random.default_rng(word), random.Random(word))
        return self.compose(image=np.asarray(self.images[index]), **self.also)


def _steps(step: Any) -> Iterator[Any]:
    """A pipeline or transform and all that it holds, what holds others before them."""
    yield step
    if isinstance(step, library().BaseCompose):
        for member in step.transforms:
            yield from _steps(member)
