"""Batched kernels on uint8 images: drawn per image on the CPU, applied on any device.

Images are (B, 32, 32, 3) uint8, the order in which they are stored on disk; `normalize` converts
them to the (B, 3, 32, 32) floats that models expect.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cifar_core.augment import kernels_cpu
from cifar_core.augment.draws import Draw
from cifar_core.augment.spec import AugmentSpec, Operation


def draw(spec: AugmentSpec, batch_size: int, seed: int) -> list[Draw]:
    """Draws for each pixel operation of a spec, on the CPU, independent for each image."""
    generator = torch.Generator().manual_seed(seed)
    draws = []
    for operation in spec.pixel:
        high = _num_positions(operation)
        applied = torch.rand(batch_size, generator=generator) < operation.p
        x, y = torch.randint(high, (2, batch_size), generator=generator)
        draws.append(Draw(operation, applied, x, y))
    return draws


def _num_positions(operation: Operation) -> int:
    """Number of positions per axis that an operation draws from."""
    if operation.name == "PadCrop":
        return 2 * operation.whole("padding") + 1
    if operation.name == "Cutout":
        return 32 - operation.whole("size") + 1
    return 1


def apply(images: Tensor, draws: list[Draw], mean: Tensor) -> Tensor:
    """Applies drawn operations in order.

    Args:
        images: (B, 32, 32, 3) uint8.
        mean: (3,) uint8, fill color of a cutout with fill "mean".

    Returns:
        (B, 32, 32, 3) uint8; `images` is not modified.
    """
    if images.device.type == "cpu":
        color = bytes(mean.tolist())
        return torch.from_numpy(kernels_cpu.apply(images.contiguous().numpy(), draws, color))
    return apply_torch(images, draws, mean)


def apply_torch(images: Tensor, draws: list[Draw], mean: Tensor) -> Tensor:
    """`apply` in plain torch, on any device; slower on a CPU."""
    for d in draws:
        images = _KERNELS[d.operation.name](images, d.to(images.device), mean)
    return images


def _pad_crop(images: Tensor, d: Draw, mean: Tensor) -> Tensor:
    padding = d.operation.whole("padding")
    padded = F.pad(images, (0, 0, padding, padding, padding, padding))
    if d.operation.params["mode"] == "reflect":
        _mirror_borders(padded, padding)
    side = padded.shape[1]
    batch, row, column, channel = padded.stride()
    windows = padded.as_strided(
        (len(images), side - 31, side - 31, 32, 32, 3),
        (batch, row, column, row, column, channel),
    )
    # Where the operation was not applied, the middle window is the image itself.
    x, y = (torch.where(d.applied, at, padding) for at in (d.x, d.y))
    return windows[torch.arange(len(images), device=images.device), y, x]


def _mirror_borders(padded: Tensor, padding: int) -> None:
    """Fills the border in place as OpenCV's BORDER_REFLECT_101 does: the edge is not repeated."""
    last = padded.shape[1] - 1
    for k in range(1, padding + 1):
        padded[:, padding - k] = padded[:, padding + k]
        padded[:, last - padding + k] = padded[:, last - padding - k]
    for k in range(1, padding + 1):
        padded[:, :, padding - k] = padded[:, :, padding + k]
        padded[:, :, last - padding + k] = padded[:, :, last - padding - k]


def _flip(images: Tensor, d: Draw, mean: Tensor) -> Tensor:
    return torch.where(d.applied[:, None, None, None], images.flip(2), images)


def _cutout(images: Tensor, d: Draw, mean: Tensor) -> Tensor:
    size = d.operation.whole("size")
    at = torch.arange(32, device=images.device)
    rows = (at >= d.y[:, None]) & (at < d.y[:, None] + size)
    columns = (at >= d.x[:, None]) & (at < d.x[:, None] + size)
    hole = rows[:, :, None] & columns[:, None, :] & d.applied[:, None, None]
    fill = mean if d.operation.params["fill"] == "mean" else torch.zeros_like(mean)
    return torch.where(hole[..., None], fill, images)


_KERNELS = {"PadCrop": _pad_crop, "HorizontalFlip": _flip, "Cutout": _cutout}


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(B, 32, 32, 3) uint8 to (B, 3, 32, 32) float32 with zero mean and unit standard deviation.

    The result is channels_last in memory, as the pixels already are.

    Args:
        mean: (3,) float32 on the scale 0..1.
        std: (3,) float32 on the scale 0..1.
    """
    # Whole rows: on a CPU five times as fast as broadcasting over three channels.
    scale, shift = (1 / (255 * std)).repeat(32), (-mean / std).repeat(32)
    floats = torch.addcmul(shift, images.reshape(-1, 96).float(), scale)
    return floats.view(images.shape).permute(0, 3, 1, 2)


def mix(
    images: Tensor, labels: Tensor, operations: tuple[Operation, ...], num_classes: int, seed: int
) -> tuple[Tensor, Tensor]:
    """MixUp or CutMix through torchvision, drawn for the whole batch.

    Args:
        images: (B, 3, 32, 32) float.
        labels: (B,) int64.

    Returns:
        Mixed images, and labels: (B,) unchanged, or (B, K) float32 with rows that sum to 1.
    """
    if not operations:
        return images, labels
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global CPU generator
        torch.manual_seed(seed)
        chance = torch.rand(()).item()
        for operation in operations:
            if chance < operation.p:
                return _mixer(operation, num_classes)(images, labels)
            chance -= operation.p
    return images, labels


def _mixer(operation: Operation, num_classes: int) -> torch.nn.Module:
    from torchvision.transforms import v2

    kind = {"MixUp": v2.MixUp, "CutMix": v2.CutMix}[operation.name]
    return kind(alpha=float(operation.params["alpha"]), num_classes=num_classes)  # pyright: ignore[reportArgumentType] # the catalog makes alpha a number
