"""Original and augmented images, by the path that the run will take."""

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.applied import AppliedTransform, from_applied, from_draws
from cifar_core.augment.spec import AugmentSpec
from cifar_core.data.dataset import Dataset, Split
from cifar_core.system.seeds import Purpose, derive_seed

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Preview:
    """What a spec makes of some images.

    Attributes:
        originals: (N, 32, 32, 3) uint8.
        draws: (D, N, 32, 32, 3) uint8, as the model would see them before normalisation.
        fired: For each draw and image, the operations that acted.
        filled: (D, N) float, the share of the pixels that show no picture: border and holes.
        shares: For each draw and image, of which classes its label then is; empty if not mixed.
    """

    originals: Pixels
    draws: Pixels
    fired: list[list[tuple[AppliedTransform, ...]]]
    filled: NDArray[np.float64]
    shares: list[list[str]]

    def rows(self) -> Pixels:
        """(N, 1 + D, 32, 32, 3) uint8: each original followed by its draws."""
        return np.concatenate([self.originals[:, None], self.draws.transpose(1, 0, 2, 3, 4)], 1)

    def caption(self, draw: int, image: int) -> str:
        """What acted on an image, with which values."""
        acted = ", ".join(map(str, self.fired[draw][image])) or "nothing"
        share = self.shares[draw][image]
        return f"{acted}; {share}" if share else acted


def one_per_class(split: Split, number: int = 0) -> Indices:
    """(K,) indices: the `number`-th image of each class that has any, wrapping around."""
    found = [np.flatnonzero(split.labels == label) for label in range(10)]
    return np.asarray([where[number % len(where)] for where in found if len(where)])


def preview(
    spec: AugmentSpec,
    data: Dataset,
    indices: Indices,
    num_draws: int,
    seed: int,
    split: Split | None = None,
) -> Preview:
    """Draws each of the images `num_draws` times, with other chances in each draw.

    MixUp and CutMix take their partners from among the images shown.

    Args:
        indices: Into the training images, or into `split`.

    Raises:
        ConfigError: if albumentations refuses a value.
    """
    from cifar_core.data.dataset import mean_colour

    split, colour = split or data.train, mean_colour(data)
    draw = _by_kernels if spec.batched else _by_albumentations
    shown = draw(spec, split, indices, colour, num_draws, seed)
    return _mixed(shown, spec, data, split, indices, seed)


def isolated(spec: AugmentSpec) -> list[AugmentSpec]:
    """Each operation on single images by itself, always acting; a choice stays one."""
    certain = [operation.model_copy(update={"p": 1.0}) for operation in spec.pixel]
    return [AugmentSpec(operations=(operation,)) for operation in certain]


def as_tensor(pixels: Pixels, data: Dataset) -> NDArray[np.float32]:
    """(..., 3) float32: pixels normalised as the model takes them."""
    scaled = (pixels / 255 - data.mean) / data.std
    return scaled.astype(np.float32)


def tensor_picture(values: NDArray[np.float32]) -> Pixels:
    """(..., 3) uint8: normalised values, -2.5 black, 0 grey, 2.5 full."""
    return np.clip(127.5 + 51 * values, 0, 255).astype(np.uint8)


def _mixed(
    shown: Preview, spec: AugmentSpec, data: Dataset, split: Split, indices: Indices, seed: int
) -> Preview:
    """The draws after MixUp or CutMix, as pixels, and the shares of the classes."""
    if not spec.mixing:
        return shown
    import torch

    from cifar_core.augment import kernels

    labels = torch.from_numpy(split.labels[indices].astype(np.int64))
    draws, shares = [], []
    for epoch, pixels in enumerate(shown.draws):
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        one_seed = derive_seed(seed, Purpose.MIX, epoch, 0)
        mixed, targets = kernels.mix(images, labels, spec.mixing, len(data.classes), one_seed)
        draws.append(mixed.permute(0, 2, 3, 1).round().to(torch.uint8).numpy())
        plain = targets.ndim == 1
        shares.append([""] * len(indices) if plain else [_shares(t, data) for t in targets])
    return replace(shown, draws=np.stack(draws), shares=shares)


def _shares(target: "Tensor", data: Dataset) -> str:
    parts = [f"{share:.0%} {data.classes[k]}" for k, share in enumerate(target.tolist()) if share]
    return " + ".join(parts)


def _by_albumentations(
    spec: AugmentSpec,
    split: Split,
    indices: Indices,
    colour: tuple[int, int, int],
    num_draws: int,
    seed: int,
) -> Preview:
    from cifar_core.augment.pipeline import AugmentedImages

    images = AugmentedImages(split.images, spec, colour, seed, mark_filled=True)
    draws, fired, filled = [], [], []
    for epoch in range(num_draws):
        results = [images.augment(epoch, int(index)) for index in indices]
        draws.append(np.stack([result["image"] for result in results]))
        fired.append([from_applied(spec, result["applied_transforms"]) for result in results])
        filled.append([float((result["mask"] == 0).mean()) for result in results])
    originals = np.asarray(split.images[indices])
    return Preview(originals, np.stack(draws), fired, np.array(filled), _unmixed(fired))


def _by_kernels(
    spec: AugmentSpec,
    split: Split,
    indices: Indices,
    colour: tuple[int, int, int],
    num_draws: int,
    seed: int,
) -> Preview:
    import torch

    from cifar_core.augment import kernels

    originals = np.asarray(split.images[indices])
    images, mean = torch.from_numpy(originals), torch.tensor(colour, dtype=torch.uint8)
    whole, black = torch.full_like(images, 255), torch.zeros_like(mean)
    results, fired, filled = [], [], []
    for epoch in range(num_draws):
        draws = kernels.draw(spec, len(images), derive_seed(seed, Purpose.AUGMENT, epoch, 0))
        results.append(kernels.apply(images, draws, mean).numpy())
        fired.append([from_draws(draws, image) for image in range(len(images))])
        left = kernels.apply(whole, draws, black)[..., 0] == 0
        filled.append(left.double().mean(dim=(1, 2)).tolist())
    return Preview(originals, np.stack(results), fired, np.array(filled), _unmixed(fired))


def _unmixed(fired: list[list[tuple[AppliedTransform, ...]]]) -> list[list[str]]:
    return [[""] * len(row) for row in fired]


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
