"""Original and augmented images, through the same code as in training."""

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.augment.applied import AppliedTransform, from_applied, from_draws
from cifar_core.augment.spec import AugmentSpec
from cifar_core.data.arrays import Floats, Indices, Pixels
from cifar_core.data.dataset import Dataset, Split
from cifar_core.system.seeds import Purpose, derive_seed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Preview:
    """Some images and their augmented versions.

    Attributes:
        originals: (N, 32, 32, 3) uint8.
        draws: (D, N, 32, 32, 3) uint8, before normalization.
        applied: For each draw and image, the operations that were applied.
        filled: (D, N) float, fraction of pixels that are border or holes.
        labels: For each draw and image, its mixed label as text; empty if not mixed.
    """

    originals: Pixels
    draws: Pixels
    applied: list[list[tuple[AppliedTransform, ...]]]
    filled: NDArray[np.float64]
    labels: list[list[str]]

    def rows(self) -> Pixels:
        """(N, 1 + D, 32, 32, 3) uint8: each original followed by its draws."""
        return np.concatenate([self.originals[:, None], self.draws.transpose(1, 0, 2, 3, 4)], 1)

    def caption(self, draw: int, image: int) -> str:
        """The operations applied to an image, with their values, and its mixed label."""
        operations = ", ".join(map(str, self.applied[draw][image])) or "nothing"
        label = self.labels[draw][image]
        return f"{operations}; {label}" if label else operations


def one_per_class(split: Split, number: int = 0) -> Indices:
    """(K,) indices: the `number`-th image of each class that has images, wrapping around."""
    by_class = [np.flatnonzero(split.labels == label) for label in range(10)]
    return np.asarray([rows[number % len(rows)] for rows in by_class if len(rows)])


def preview(
    spec: AugmentSpec,
    data: Dataset,
    indices: Indices,
    num_draws: int,
    seed: int,
    split: Split | None = None,
) -> Preview:
    """Augments each of the images `num_draws` times, with new random draws each time.

    MixUp and CutMix mix the given images with each other.

    Args:
        indices: Into the training images, or into `split`.

    Raises:
        ConfigError: if albumentations rejects a value.
    """
    from cifar_core.data.dataset import mean_color

    split, color = split or data.train, mean_color(data)
    draw = _by_kernels if spec.batched else _by_albumentations
    unmixed = draw(spec, split, indices, color, num_draws, seed)
    return _mixed(unmixed, spec, data, split, indices, seed)


def isolated(spec: AugmentSpec) -> list[AugmentSpec]:
    """One spec per pixel operation, applied with probability 1; a choice stays whole."""
    always = [operation.model_copy(update={"p": 1.0}) for operation in spec.pixel]
    return [AugmentSpec(operations=(operation,)) for operation in always]


def as_tensor(pixels: Pixels, data: Dataset, normalization: str = "train") -> Floats:
    """(..., 3) float32: pixels of training images normalized as the model input."""
    (mean, std), _ = data.statistics(normalization)
    scaled = (pixels / 255 - mean) / std
    return scaled.astype(np.float32)


def tensor_image(values: Floats) -> Pixels:
    """(..., 3) uint8: normalized values, -2.5 black, 0 gray, 2.5 white."""
    return np.clip(127.5 + 51 * values, 0, 255).astype(np.uint8)


def _mixed(
    unmixed: Preview, spec: AugmentSpec, data: Dataset, split: Split, indices: Indices, seed: int
) -> Preview:
    """The draws after MixUp or CutMix, as pixels, and their labels."""
    if not spec.mixing:
        return unmixed
    import torch

    from cifar_core.augment import kernels

    labels = torch.from_numpy(split.labels[indices].astype(np.int64))
    draws, mixed_labels = [], []
    for epoch, pixels in enumerate(unmixed.draws):
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        mix_seed = derive_seed(seed, Purpose.MIX, epoch, 0)
        mixed, targets = kernels.mix(images, labels, spec.mixing, len(data.classes), mix_seed)
        draws.append(mixed.permute(0, 2, 3, 1).round().to(torch.uint8).numpy())
        is_mixed = targets.ndim == 2
        texts = [_label_text(t, data) for t in targets] if is_mixed else [""] * len(indices)
        mixed_labels.append(texts)
    return replace(unmixed, draws=np.stack(draws), labels=mixed_labels)


def _label_text(target: "Tensor", data: Dataset) -> str:
    parts = [f"{share:.0%} {data.classes[k]}" for k, share in enumerate(target.tolist()) if share]
    return " + ".join(parts)


def _by_albumentations(
    spec: AugmentSpec,
    split: Split,
    indices: Indices,
    color: tuple[int, int, int],
    num_draws: int,
    seed: int,
) -> Preview:
    from cifar_core.augment.pipeline import AugmentedImages

    images = AugmentedImages(split.images, spec, color, seed, mark_filled=True)
    draws, applied, filled = [], [], []
    for epoch in range(num_draws):
        results = [images.augment(epoch, int(index)) for index in indices]
        draws.append(np.stack([result["image"] for result in results]))
        applied.append([from_applied(spec, result["applied_transforms"]) for result in results])
        filled.append([float((result["mask"] == 0).mean()) for result in results])
    originals = np.asarray(split.images[indices])
    return Preview(originals, np.stack(draws), applied, np.array(filled), _no_labels(applied))


def _by_kernels(
    spec: AugmentSpec,
    split: Split,
    indices: Indices,
    color: tuple[int, int, int],
    num_draws: int,
    seed: int,
) -> Preview:
    import torch

    from cifar_core.augment import kernels

    originals = np.asarray(split.images[indices])
    images, mean = torch.from_numpy(originals), torch.tensor(color, dtype=torch.uint8)
    white, black = torch.full_like(images, 255), torch.zeros_like(mean)
    results, applied, filled = [], [], []
    for epoch in range(num_draws):
        draws = kernels.draw(spec, len(images), derive_seed(seed, Purpose.AUGMENT, epoch, 0))
        results.append(kernels.apply(images, draws, mean).numpy())
        applied.append([from_draws(draws, image) for image in range(len(images))])
        holes = kernels.apply(white, draws, black)[..., 0] == 0
        filled.append(holes.double().mean(dim=(1, 2)).tolist())
    return Preview(originals, np.stack(results), applied, np.array(filled), _no_labels(applied))


def _no_labels(applied: list[list[tuple[AppliedTransform, ...]]]) -> list[list[str]]:
    return [[""] * len(row) for row in applied]


def contact_sheet(rows: Pixels, scale: int = 3, gap: int = 4) -> bytes:
    """A PNG of a grid of (R, C, H, W, 3) uint8 images, enlarged by repeating pixels, on white."""
    from PIL import Image

    num_rows, num_columns, height, width, _ = rows.shape
    enlarged = rows.repeat(scale, axis=2).repeat(scale, axis=3)
    step_y, step_x = height * scale + gap, width * scale + gap
    sheet = np.full((num_rows * step_y - gap, num_columns * step_x - gap, 3), 255, np.uint8)
    for r in range(num_rows):
        for c in range(num_columns):
            y, x = r * step_y, c * step_x
            sheet[y : y + height * scale, x : x + width * scale] = enlarged[r, c]
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    return buffer.getvalue()
