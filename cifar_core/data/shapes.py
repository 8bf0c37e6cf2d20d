"""Shapes-10: ten shapes drawn by code, each with the mask of its object.

For where there is neither a network nor a copy of CIFAR-10. It touches no files (see `store`).
Per pixel there is only + - * / and the square root, whose roundings IEEE 754 fixes, so that the
same images come out on every machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cifar_core.data.arrays import AnyFloats, Pixels
from cifar_core.data.shape_outlines import OUTLINES, outline_distances
from cifar_core.data.shape_paint import SIZE, random_axes, surfaces, uniform

SHAPES_VERSION = 2  # a change of any pixel is a new version: caches and runs rely on it
SHAPES: tuple[str, ...] = tuple(OUTLINES)

_CHUNK = 128  # images drawn at a time: about 10 MB of intermediate arrays
_RADIUS = (7.5, 12.5)  # pixels from the centre of a shape to its farthest point
_HIDDEN = 0.25  # of an object, at most
_FAR = np.float32(2 * SIZE)  # pixels to what is not there


@dataclass(frozen=True, eq=False)
class ShapeImages:
    """Drawn images.

    Attributes:
        images: (N, 32, 32, 3) uint8, RGB.
        labels: (N,) uint8, indices into `SHAPES`.
        masks: (N, 32, 32) bool, the pixels whose centre shows the object.
    """

    images: Pixels
    labels: NDArray[np.uint8]
    masks: NDArray[np.bool_]


def draw_shapes(num_images: int, seed: int) -> ShapeImages:
    """Draws shuffled images of the ten classes, whose counts differ by one at most.

    The same arguments give the same bytes; another seed gives other images.

    Args:
        num_images: N; 0 is allowed.
        seed: Any number from 0 on.
    """
    order = np.random.default_rng([SHAPES_VERSION, seed]).permutation(num_images)
    labels = (order % len(SHAPES)).astype(np.uint8)
    images = np.empty((num_images, SIZE, SIZE, 3), np.uint8)
    masks = np.empty((num_images, SIZE, SIZE), np.bool_)
    for start in range(0, num_images, _CHUNK):
        part = slice(start, start + _CHUNK)
        rng = np.random.default_rng([SHAPES_VERSION, seed, start])
        images[part], masks[part] = _draw(labels[part], rng)
    return ShapeImages(images, labels, masks)


def _draw(labels: NDArray[np.uint8], rng: Generator) -> tuple[Pixels, NDArray[np.bool_]]:
    """Images and masks of one chunk."""
    num = len(labels)
    radius = uniform(rng, num, *_RADIUS)
    room = SIZE / 2 - 1 - radius  # one pixel at the border stays free
    across, down = (SIZE / 2 + room * uniform(rng, num, -1, 1) for _ in range(2))
    figure_at = _placed(labels, across, down, radius, rng)
    pixels, figure, tints = surfaces(num, rng)
    for tint in tints[:2]:
        _cover(pixels, _small_shape(radius, rng), tint)
    _cover(pixels, _stick(across, down, uniform(rng, num, 6, 16), rng), tints[2])
    pixels *= 1 - 0.4 * _shadow(figure_at)
    _cover(pixels, figure_at, figure + 14 * np.clip(-figure_at / 6, 0, 1))
    front_at = _in_front(figure_at, _stick(across, down, 0.6 * radius, rng))
    pixels *= 1 - 0.3 * _shadow(front_at)
    _cover(pixels, front_at, tints[3])
    return _photographed(pixels, rng), (figure_at < 0) & (front_at >= 0)


def _placed(
    labels: NDArray[np.integer[Any]],
    across: AnyFloats,
    down: AnyFloats,
    radius: AnyFloats,
    rng: Generator,
) -> AnyFloats:
    """(N, H, W) pixels to outlines around a point, negative inside, at random angles."""
    x, y = (axis / radius for axis in random_axes(rng, across, down))
    return outline_distances(labels, x, y, uniform(rng, len(labels), 0, 1)) * radius


def _small_shape(radius: AnyFloats, rng: Generator) -> AnyFloats:
    """Pixels to a shape much smaller than `radius`, anywhere; far from it if there is none."""
    num = len(radius)
    labels = rng.integers(len(SHAPES), size=num)
    across, down = (uniform(rng, num, 0, SIZE) for _ in range(2))
    distance = _placed(labels, across, down, radius * uniform(rng, num, 0.3, 0.55), rng)
    return distance + _FAR * (rng.random((num, 1, 1)) < 0.35)


def _stick(across: AnyFloats, down: AnyFloats, reach: AnyFloats, rng: Generator) -> AnyFloats:
    """Pixels to a line through the image, within `reach` of a point; far if there is none."""
    num = len(across)
    x, _ = random_axes(rng, across, down)
    distance = np.abs(x + reach * uniform(rng, num, -1, 1)) - uniform(rng, num, 0.5, 1.5)
    return distance + _FAR * (rng.random((num, 1, 1)) < 0.7)


def _in_front(figure_at: AnyFloats, front_at: AnyFloats) -> AnyFloats:
    """Removes what would hide more than `_HIDDEN` of an object."""
    figure = figure_at < 0
    hidden = (figure & (front_at < 0)).sum(axis=(1, 2), keepdims=True)
    most = _HIDDEN * figure.sum(axis=(1, 2), keepdims=True)
    return np.where(hidden > most, _FAR, front_at)


def _shadow(distance: AnyFloats) -> AnyFloats:
    """0..1. Light from the upper left: the outline again, one pixel further down and right."""
    far = np.pad(distance, ((0, 0), (1, 0), (1, 0)), mode="edge")[:, :-1, :-1]
    return np.clip((3 - far) / 4, 0, 1)


def _cover(pixels: AnyFloats, distance: AnyFloats, colour: AnyFloats) -> None:
    """Paints (3, N, H, W) pixels as far as an outline covers them."""
    pixels += np.clip(0.5 - distance, 0, 1) * (colour - pixels)


def _photographed(pixels: AnyFloats, rng: Generator) -> Pixels:
    """(N, H, W, 3) images of (3, N, H, W) pixels, blurred and noisy, few of them much."""
    num = pixels.shape[1]
    blur = 0.3 * uniform(rng, num, 0, 1) ** 2
    ticks = np.arange(SIZE)
    before, after = np.maximum(ticks - 1, 0), np.minimum(ticks + 1, SIZE - 1)
    for axis in (2, 3):
        around = pixels.take(before, axis) + pixels.take(after, axis)
        pixels = pixels + blur * (around - 2 * pixels)
    noise = rng.random(pixels.shape, np.float32) - np.float32(0.5)
    pixels += noise * (4 + 30 * uniform(rng, num, 0, 1) ** 2)
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 3, 0)
