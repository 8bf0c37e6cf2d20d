"""Original and augmented images, by the path that the run will take."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.spec import AugmentSpec
from cifar_core.data.dataset import Dataset, Split
from cifar_core.seeds import Purpose, derive_seed

if TYPE_CHECKING:
    from torch import Tensor


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
    """Draws each of the training images `num_draws` times, with other chances in each draw.

    MixUp and CutMix take their partners from among the images shown.

    Raises:
        ConfigError: if albumentations refuses a value.
    """
    from cifar_core.batches import mean_colour

    originals = np.asarray(data.train.images[indices])
    if spec.batched:
        shown = _by_kernels(spec, originals, mean_colour(data), num_draws, seed)
        return _mixed(shown, spec, data, indices, seed)
    from cifar_core.augment.pipeline import AugmentedImages

    images = AugmentedImages(data.train.images, spec, mean_colour(data), seed)
    draws, fired = [], []
    for epoch in range(num_draws):
        results = [images.augment(epoch, int(index)) for index in indices]
        draws.append(np.stack([result["image"] for result in results]))
        fired.append([_names(spec, result["applied_transforms"]) for result in results])
    return _mixed(Preview(originals, np.stack(draws), fired), spec, data, indices, seed)


def _mixed(
    shown: Preview, spec: AugmentSpec, data: Dataset, indices: NDArray[np.int64], seed: int
) -> Preview:
    """The draws after MixUp or CutMix, as pixels, the shares of the classes beside what fired."""
    if not spec.mixing:
        return shown
    import torch

    from cifar_core.augment import kernels

    labels = torch.from_numpy(data.train.labels[indices].astype(np.int64))
    draws, fired = [], []
    for epoch, (pixels, acted) in enumerate(zip(shown.draws, shown.fired, strict=True)):
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        one_seed = derive_seed(seed, Purpose.MIX, epoch, 0)
        mixed, targets = kernels.mix(images, labels, spec.mixing, len(data.classes), one_seed)
        draws.append(mixed.permute(0, 2, 3, 1).round().to(torch.uint8).numpy())
        tips = [""] * len(acted) if targets.ndim == 1 else [_shares(t, data) for t in targets]
        fired.append([name + tip for name, tip in zip(acted, tips, strict=True)])
    return Preview(shown.originals, np.stack(draws), fired)


def _shares(target: "Tensor", data: Dataset) -> str:
    parts = [f"{share:.0%} {data.classes[k]}" for k, share in enumerate(target.tolist()) if share]
    return f"; {' + '.join(parts)}"


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
