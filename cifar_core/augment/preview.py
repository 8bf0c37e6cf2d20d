"""Original and augmented images, by the path that the run will take."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.spec import AugmentSpec
from cifar_core.data.dataset import Dataset, Split
from cifar_core.seeds import Purpose, derive_seed


@dataclass(frozen=True, eq=False)
class Preview:
    """What a spec makes of some training images.

    Attributes:
        originals: (N, 32, 32, 3) uint8.
        draws: (D, N, 32, 32, 3) uint8, as the model would see them before normalisation.
        fired: For each draw and image, the operations that acted, as text.
    """

    originals: NDArray[np.uint8]
    draws: NDArray[np.uint8]
    fired: list[list[str]]

    def rows(self) -> NDArray[np.uint8]:
        """(N, 1 + D, 32, 32, 3) uint8: each original followed by its draws."""
        return np.concatenate([self.originals[:, None], self.draws.transpose(1, 0, 2, 3, 4)], 1)


def one_per_class(split: Split, number: int = 0) -> NDArray[np.int64]:
    """(K,) indices: the `number`-th image of each class that has any, wrapping around."""
    found = [np.flatnonzero(split.labels == label) for label in range(10)]
    return np.asarray([where[number % len(where)] for where in found if len(where)])


def preview(
    spec: AugmentSpec, data: Dataset, indices: NDArray[np.int64], num_draws: int, seed: int
) -> Preview:
    """Draws each of the training images `num_draws` times; draw d is what epoch d would bring.

    MixUp and CutMix work on whole normalised batches and are not shown here.

    Raises:
        ConfigError: if albumentations refuses a value.
    """
    from cifar_core.batches import mean_colour

    originals = np.asarray(data.train.images[indices])
    if spec.batched:
        return _by_kernels(spec, originals, mean_colour(data), num_draws, seed)
    from cifar_core.augment.pipeline import AugmentedImages

    images = AugmentedImages(data.train.images, spec, mean_colour(data), seed)
    draws, fired = [], []
    for epoch in range(num_draws):
        results = [images.augment(epoch, int(index)) for index in indices]
        draws.append(np.stack([result["image"] for result in results]))
        fired.append([_names(spec, result["applied_transforms"]) for result in results])
    return Preview(originals, np.stack(draws), fired)


_BUILT_OF = {"PadCrop": "RandomCrop", "Cutout": "CoarseDropout"}


def _names(spec: AugmentSpec, applied: list[tuple[str, Any]]) -> str:
    """What fired, in the words of the spec; albumentations lists it in the order of the spec."""
    left = [name for name, _ in applied]
    acted = []
    for operation in spec.pixel:
        built_of = _BUILT_OF.get(operation.name, operation.name)
        if built_of in left:
            del left[: left.index(built_of) + 1]
            acted.append(operation.name)
    return ", ".join(acted) or "nothing"


def _by_kernels(
    spec: AugmentSpec,
    originals: NDArray[np.uint8],
    colour: tuple[int, int, int],
    num_draws: int,
    seed: int,
) -> Preview:
    import torch

    from cifar_core.augment import kernels

    images, mean = torch.from_numpy(originals), torch.tensor(colour, dtype=torch.uint8)
    results, fired = [], []
    for epoch in range(num_draws):
        draws = kernels.draw(spec, len(images), derive_seed(seed, Purpose.AUGMENT, epoch, 0))
        results.append(kernels.apply(images, draws, mean).numpy())
        acted = [
            ", ".join(d.operation.name for d in draws if d.fired[i]) for i in range(len(images))
        ]
        fired.append([names or "nothing" for names in acted])
    return Preview(originals, np.stack(results), fired)


def contact_sheet(rows: NDArray[np.uint8], scale: int = 3, gap: int = 4) -> bytes:
    """A PNG of (R, C, H, W, 3) uint8 tiles, enlarged by repeating pixels, on white."""
    from PIL import Image

    num_rows, num_columns, height, width, _ = rows.shape
    big = rows.repeat(scale, axis=2).repeat(scale, axis=3)
    step_y, step_x = height * scale + gap, width * scale + gap
    sheet = np.full((num_rows * step_y - gap, num_columns * step_x - gap, 3), 255, np.uint8)
    for r in range(num_rows):
        for c in range(num_columns):
            y, x = r * step_y, c * step_x
            sheet[y : y + height * scale, x : x + width * scale] = big[r, c]
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    return buffer.getvalue()
