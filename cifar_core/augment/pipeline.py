"""A spec as an albumentations pipeline, one image at a time, and its data set for loader workers.

Each image's draws come from (seed, epoch, index) alone, so that they are the same for any number
of workers and differ between epochs; albumentations 2.0.8 left to itself gives every worker the
same stream and repeats it each epoch.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.catalogue import Value
from cifar_core.augment.spec import AugmentSpec, Operation
from cifar_core.errors import ConfigError
from cifar_core.seeds import Purpose, derive_seed

Colour = tuple[int, int, int]


def compose(spec: AugmentSpec, mean: Colour) -> Any:
    """Builds an albumentations.Compose of the pixel operations.

    Args:
        mean: The data's mean colour, 0..255, for a cutout with fill "mean".

    Raises:
        ConfigError: if albumentations refuses a value.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks the network
    import albumentations as A
    import cv2

    cv2.setNumThreads(0)
    steps = []
    for operation in spec.pixel:
        build = _OURS.get(operation.name, _by_name)
        try:
            steps.extend(build(A, operation, mean))
        except (TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"albumentations refuses {operation.name}: {reason}") from None
    return A.Compose(steps, save_applied_params=True)


def _by_name(A: Any, operation: Operation, mean: Colour) -> list[Any]:
    params: dict[str, Value] = dict(operation.params)
    if operation.name == "RandomResizedCrop":
        return [A.RandomResizedCrop(size=(32, 32), p=operation.p, **params)]
    return [getattr(A, operation.name)(p=operation.p, **params)]


def _pad_crop(A: Any, operation: Operation, mean: Colour) -> list[Any]:
    import cv2

    side = 32 + 2 * int(operation.params["padding"])  # pyright: ignore[reportArgumentType] # a whole number by the catalogue
    border = cv2.BORDER_REFLECT_101 if operation.params["mode"] == "reflect" else 0
    steps = [A.PadIfNeeded(side, side, border_mode=border, fill=0), A.RandomCrop(32, 32)]
    return steps if operation.p == 1 else [A.Sequential(steps, p=operation.p)]


def _cutout(A: Any, operation: Operation, mean: Colour) -> list[Any]:
    size = operation.params["size"]
    fill = mean if operation.params["fill"] == "mean" else 0
    return [
        A.CoarseDropout(
            num_holes_range=(1, 1),
            hole_height_range=(size, size),
            hole_width_range=(size, size),
            fill=fill,
            p=operation.p,
        )
    ]


_OURS: dict[str, Callable[[Any, Operation, Colour], list[Any]]] = {
    "PadCrop": _pad_crop,
    "Cutout": _cutout,
}


class AugmentedImages:
    """Maps (epoch, index) to an augmented image; what loader workers hold.

    The epoch is part of the key, not of the object, so that workers may live for the whole run.
    """

    def __init__(
        self, images: NDArray[np.uint8], spec: AugmentSpec, mean: Colour, seed: int
    ) -> None:
        self.images = images
        self.compose = compose(spec, mean)
        self.seed = seed

    def __getitem__(self, key: tuple[int, int]) -> NDArray[np.uint8]:
        return self.augment(*key)["image"]

    def augment(self, epoch: int, index: int) -> dict[str, Any]:
        """The augmented image and, under "applied_transforms", what fired with which values."""
        seed = derive_seed(self.seed, Purpose.AUGMENT, epoch, index) % 2**32
        self.compose.set_random_seed(seed)
        return self.compose(image=np.asarray(self.images[index]))
