"""The kernels on a CPU: whole rows of pixels are copied at once, as numpy items of many bytes.

Same results as `kernels`, but faster; for 128 images on one core: crop 0.10 ms instead of 0.24,
flip 0.06 instead of 0.31, cutout 0.01 instead of 0.82.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from cifar_core.data.arrays import Pixels

if TYPE_CHECKING:
    from cifar_core.augment.draws import Draw

PIXEL, ROW, IMAGE = 3, 3 * 32, 3 * 32 * 32  # bytes


def apply(images: Pixels, draws: "list[Draw]", mean: bytes) -> Pixels:
    """`kernels.apply` for (B, 32, 32, 3) uint8 images in C order.

    Args:
        mean: One pixel, three bytes.
    """
    for d in draws:
        images = _KERNELS[d.operation.name](images, d, mean)
    return images


def _pad_crop(images: Pixels, d: "Draw", mean: bytes) -> Pixels:
    padding = d.operation.whole("padding")
    border = (padding, padding)
    mode = "reflect" if d.operation.params["mode"] == "reflect" else "constant"
    padded = np.pad(images, ((0, 0), border, border, (0, 0)), mode=mode)
    line, positions = PIXEL * (32 + 2 * padding), 2 * padding + 1
    strides = ((32 + 2 * padding) * line, line, PIXEL, line)
    windows = np.ndarray(
        (len(images), positions, positions, 32), f"V{ROW}", padded, strides=strides
    )
    # Where the operation was not applied, the middle window is the image itself.
    x, y = (np.where(d.applied, at, padding) for at in (d.x, d.y))
    return windows[np.arange(len(images)), y, x].view(np.uint8).reshape(images.shape)


def _flip(images: Pixels, d: "Draw", mean: bytes) -> Pixels:
    flipped, applied = images.copy(), d.applied.numpy()
    # torch vectorises a flip only along the last axis of channels_last.
    columns_last = torch.from_numpy(images[applied]).permute(0, 3, 1, 2)
    flipped[applied] = columns_last.flip(3).permute(0, 2, 3, 1).numpy()
    return flipped


def _cutout(images: Pixels, d: "Draw", mean: bytes) -> Pixels:
    cut, size = images.copy(), d.operation.whole("size")
    fill = mean if d.operation.params["fill"] == "mean" else bytes(PIXEL)
    item, positions, strides = f"V{PIXEL * size}", 33 - size, (IMAGE, ROW, PIXEL, ROW)
    squares = np.ndarray((len(cut), positions, positions, size), item, cut, strides=strides)
    applied = d.applied.nonzero()[:, 0]
    squares[applied, d.y[applied], d.x[applied]] = np.frombuffer(fill * size, item)
    return cut


_KERNELS = {"PadCrop": _pad_crop, "HorizontalFlip": _flip, "Cutout": _cutout}
