"""Shapes-10: ten shapes drawn by code, each with the mask of its object.

For where there is neither a network nor a copy of CIFAR-10. It touches no files (see `store`).
Outlines are signed distances, after Quilez, https://iquilezles.org/articles/distfunctions2d/.
Per pixel there is only + - * / and the square root, whose roundings IEEE 754 fixes, so that the
same images come out on every machine.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SHAPES_VERSION = 1  # a change of any pixel is a new version: caches and runs rely on it

Floats = NDArray[np.floating[Any]]  # float32 wherever there are pixels
_SIZE = 32
_CHUNK = 256  # images drawn at a time: about 20 MB of intermediate arrays
_RADIUS = (8.5, 12.5)  # pixels from the centre of a shape to its farthest point


@dataclass(frozen=True, eq=False)
class ShapeImages:
    """Drawn images.

    Attributes:
        images: (N, 32, 32, 3) uint8, RGB.
        labels: (N,) uint8, indices into `SHAPES`.
        masks: (N, 32, 32) bool, the pixels whose centre lies in the object.
    """

    images: NDArray[np.uint8]
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
    images = np.empty((num_images, _SIZE, _SIZE, 3), np.uint8)
    masks = np.empty((num_images, _SIZE, _SIZE), np.bool_)
    for start in range(0, num_images, _CHUNK):
        part = slice(start, start + _CHUNK)
        rng = np.random.default_rng([SHAPES_VERSION, seed, start])
        images[part], masks[part] = _draw(labels[part], rng)
    return ShapeImages(images, labels, masks)


def _draw(labels: NDArray[np.uint8], rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Images and masks of one chunk."""
    distance = _place(labels, rng)
    ground, figure = _surfaces(len(labels), rng)
    # Light from the upper left: the outline again, one pixel further down and right.
    far = np.pad(distance, ((0, 0), (1, 0), (1, 0)), mode="edge")[:, :-1, :-1]
    ground *= 1 - 0.4 * np.clip((3 - far) / 4, 0, 1)[..., None]
    figure += 14 * np.clip(-distance / 6, 0, 1)[..., None]
    coverage = np.clip(0.5 - distance, 0, 1)[..., None]  # of a pixel by the object
    pixels = ground + coverage * (figure - ground)
    noise = rng.random(pixels.shape, np.float32) - np.float32(0.5)
    pixels += noise * _uniform(rng, len(labels), 4, 20)[..., None]
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8), distance < 0


def _place(labels: NDArray[np.uint8], rng: Generator) -> Floats:
    """(N, H, W) pixels to the outline, negative inside, at random places, sizes and angles."""
    num = len(labels)
    radius = _uniform(rng, num, *_RADIUS)
    room = _SIZE / 2 - 1 - radius  # one pixel at the border stays free
    across, down = (_SIZE / 2 + room * _uniform(rng, num, -1, 1) for _ in range(2))
    x, y = (axis / radius for axis in _rotated(rng, num, across, down))
    form = _uniform(rng, num, 0, 1)
    distance = np.empty_like(x)
    for label, outline in enumerate(_OUTLINES.values()):
        own = labels == label
        distance[own] = outline(x[own], y[own], form[own])
    return distance * radius


def _uniform(rng: Generator, num: int, low: float, high: float) -> Floats:
    """(N, 1, 1) random numbers, one per image."""
    return (low + (high - low) * rng.random((num, 1, 1))).astype(np.float32)


def _rotated(rng: Generator, num: int, across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """(N, H, W) coordinates in pixels around a point, at a random angle per image."""
    angle = rng.random((num, 1, 1)) * 2 * np.pi
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    ticks = np.arange(0.5, _SIZE, dtype=np.float32)
    x, y = ticks - across, ticks[:, None] - down
    return cos * x + sin * y, cos * y - sin * x


def _length(x: Floats, y: Floats) -> Floats:
    return np.sqrt(x * x + y * y)


def _box(x: Floats, y: Floats, wide: Floats | float, high: Floats | float) -> Floats:
    """Distance to a rectangle of half sizes `wide` and `high`, corners rounded."""
    right, up = np.abs(x) - (wide - 0.06), np.abs(y) - (high - 0.06)
    outside = _length(np.maximum(right, 0), np.maximum(up, 0))
    return outside + np.minimum(np.maximum(right, up), 0) - 0.06


def _polygon(x: Floats, y: Floats, corners: Sequence[tuple[Floats | float, ...]]) -> Floats:
    """Distance to a polygon grown by 0.06, which rounds its corners."""
    nearest = np.full_like(x, np.inf)
    inside = np.zeros(x.shape, np.bool_)
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
        inside ^= ((ay > y) != (by > y)) & ((ex * wy < ey * wx) == (by > ay))
    return np.where(inside, np.float32(-1), np.float32(1)) * np.sqrt(nearest) - 0.06


def _crescent(x: Floats, y: Floats, form: Floats) -> Floats:
    outer, inner, shift = 0.97, 0.74, 0.48 + 0.08 * form
    bitten = np.maximum(_length(x, y) - outer, inner - _length(x - shift, y))
    tip_x = (outer**2 - inner**2 + shift * shift) / (2 * shift)
    tip_y, y = np.sqrt(outer**2 - tip_x * tip_x), np.abs(y)
    beyond = x * tip_y - y * tip_x > shift * np.maximum(tip_y - y, 0)
    return np.where(beyond, _length(x - tip_x, y - tip_y), bitten)


def _heart(x: Floats, y: Floats, form: Floats) -> Floats:
    scale = 0.66 + 0.04 * form
    x, y = np.abs(x) * scale, 0.6 - y * scale
    lobe = _length(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    along = 0.5 * np.maximum(x + y, 0)
    point = np.minimum(x * x + (y - 1) ** 2, (x - along) ** 2 + (y - along) ** 2)
    return np.where(x + y > 1, lobe, np.sign(x - y) * np.sqrt(point)) / scale


def _star(x: Floats, y: Floats, form: Floats) -> Floats:
    reach = [0.94, 0.36 + 0.1 * form] * 5
    turns = [math.pi * corner / 5 for corner in range(10)]
    corners = [(r * math.sin(t), -r * math.cos(t)) for r, t in zip(reach, turns, strict=True)]
    return _polygon(x, y, corners)


def _arrow(x: Floats, y: Floats, form: Floats) -> Floats:
    head, shaft = 0.58 + 0.1 * form, 0.12 + 0.06 * form
    right = [(head, 0.0), (shaft, 0.0), (shaft, 0.88)]
    return _polygon(x, y, [(0.0, -0.93), *right, *((-px, py) for px, py in reversed(right))])


# Distance from (x, y) to a shape inside the unit circle; `form`, 0..1, varies its build.
_OUTLINES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "circle": lambda x, y, form: _length(x, y) - (0.8 + 0.1 * form),
    "ring": lambda x, y, form: np.abs(_length(x, y) - 0.79 + 0.06 * form) - 0.15 - 0.05 * form,
    "crescent": _crescent,
    "heart": _heart,
    "triangle": lambda x, y, form: _polygon(
        x, y, [(0.0, -0.93), (0.7 + 0.14 * form, 0.42), (-0.7 - 0.14 * form, 0.42)]
    ),
    "square": lambda x, y, form: _box(x, y, 0.66 + 0.04 * form, 0.66 + 0.04 * form),
    "bar": lambda x, y, form: _box(x, y, 0.95, 0.21 + 0.09 * form),
    "cross": lambda x, y, form: np.minimum(
        _box(x, y, 0.93, 0.2 + 0.1 * form), _box(x, y, 0.2 + 0.1 * form, 0.93)
    ),
    "star": _star,
    "arrow": _arrow,
}
SHAPES: tuple[str, ...] = tuple(_OUTLINES)


def _surfaces(num: int, rng: Generator) -> tuple[Floats, Floats]:
    """(N, H, W, 3) colours, 0..255, of background and object: one light, one dark."""
    night = rng.random(num) < 0.5
    ground_light = np.where(night, rng.uniform(0.3, 0.42, num), rng.uniform(0.86, 0.95, num))
    figure_light = np.where(night, rng.uniform(0.72, 0.86, num), rng.uniform(0.46, 0.64, num))
    # The second colour of a texture keeps away from the other surface.
    away = np.where(night, 1, -1) * rng.uniform(0.05, 0.1, num)
    ground = _textured(rng, ground_light, rng.uniform(0.02, 0.09, num), -0.6 * away)
    return ground, _textured(rng, figure_light, rng.uniform(0.12, 0.2, num), away)


def _textured(rng: Generator, light: Floats, chroma: Floats, lighter: Floats) -> Floats:
    """(N, H, W, 3) a random texture between two neighbouring hues, second one `lighter`."""
    num = len(light)
    hue = rng.uniform(0, 2 * np.pi, num)
    first = _srgb(light, chroma, hue)[:, None, None]
    second = _srgb(light + lighter, chroma, hue + rng.uniform(-0.8, 0.8, num))[:, None, None]
    x, y = _rotated(rng, num, *(_uniform(rng, num, 8, 24) for _ in range(2)))
    period = _uniform(rng, num, 4, 8)
    kinds = rng.integers(len(_TEXTURES), size=num)
    blend = np.empty_like(x)
    for kind, texture in enumerate(_TEXTURES):
        own = kinds == kind
        blend[own] = texture(x[own], y[own], period[own], rng)
    return first + blend[..., None] * (second - first)


def _srgb(light: Floats, chroma: Floats, hue: Floats) -> Floats:
    """(N, 3) sRGB, 0..255, of OKLCH: Ottosson 2020, https://bottosson.github.io/posts/oklab/."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    linear = np.clip(np.stack([red, green, blue], axis=-1), 0, 1)
    curved = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * curved).astype(np.float32)


def _wave(x: Floats, period: Floats) -> Floats:
    """Anti-aliased stripes, -1 and 1, each half a period wide."""
    return np.clip((np.abs(x / period - np.floor(x / period) - 0.5) - 0.25) * period * 2, -1, 1)


def _dots(x: Floats, y: Floats, period: Floats, _rng: Generator) -> Floats:
    x, y = ((axis / period - np.floor(axis / period) - 0.5) * period for axis in (x, y))
    return np.clip(0.5 + 0.3 * period - _length(x, y), 0, 1)


def _clouds(x: Floats, _y: Floats, _period: Floats, rng: Generator) -> Floats:
    """Smooth noise: random values on a coarse grid, interpolated between its knots."""
    knots = np.arange(6)
    values = rng.random((len(x), 6, 6))
    weights = np.clip(1 - np.abs(np.linspace(0, 5, _SIZE)[:, None] - knots), 0, 1)
    # Not matmul, whose rounding depends on the processor.
    rows = (weights[..., None] * values[:, None]).sum(axis=2)  # (N, H, 6)
    return (rows[:, :, None] * weights).sum(axis=3)


# (N, H, W) share, 0..1, of the second colour at (x, y) pixels.
_TEXTURES: tuple[Callable[[Floats, Floats, Floats, Generator], Floats], ...] = (
    lambda x, _y, _period, _rng: np.zeros_like(x),
    lambda x, _y, _period, _rng: np.clip(0.5 + x / 28, 0, 1),
    lambda x, _y, period, _rng: 0.5 + 0.5 * _wave(x, period),
    lambda x, y, period, _rng: 0.5 + 0.5 * _wave(x, 1.4 * period) * _wave(y, 1.4 * period),
    _dots,
    _clouds,
)
