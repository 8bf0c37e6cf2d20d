"""Colors and textures of Shapes-10, and random numbers and axes, one per image."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from cifar_core.data.arrays import AnyFloats
from cifar_core.data.shape_outlines import length

SIZE = 32  # pixels, both ways


def uniform(rng: Generator, num: int, low: float, high: float) -> AnyFloats:
    """(N, 1, 1) random numbers, one per image."""
    return (low + (high - low) * rng.random((num, 1, 1))).astype(np.float32)


def random_axes(rng: Generator, across: AnyFloats, down: AnyFloats) -> tuple[AnyFloats, AnyFloats]:
    """(N, H, W) coordinates in pixels around a point, at a random angle per image."""
    angle = rng.random(across.shape) * 2 * np.pi
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    ticks = np.arange(0.5, SIZE, dtype=np.float32)
    x, y = ticks - across, ticks[:, None] - down
    return cos * x + sin * y, cos * y - sin * x


def surfaces(num: int, rng: Generator) -> tuple[AnyFloats, AnyFloats, AnyFloats]:
    """Colors, 0..255, of background and object, one light, one dark, and of what is around.

    Returns:
        Background and object, (3, N, H, W) each, and four tints between, (4, 3, N, 1, 1).
    """
    night = rng.random(num) < 0.5
    ground_light = np.where(night, rng.uniform(0.3, 0.42, num), rng.uniform(0.86, 0.95, num))
    figure_light = np.where(night, rng.uniform(0.72, 0.86, num), rng.uniform(0.46, 0.64, num))
    clear = 1 - 0.6 * rng.random(num) ** 2  # few are hazy
    step = clear * (figure_light - ground_light)
    # The second color of a texture keeps away from the other surface.
    away = clear * np.where(night, 1, -1) * rng.uniform(0.05, 0.1, num)
    ground = _textured(rng, ground_light, rng.uniform(0.02, 0.09, num), -0.6 * away)
    figure = _textured(rng, ground_light + step, rng.uniform(0.12, 0.2, num), away)
    light = ground_light + step * rng.uniform(0.25, 0.7, (4, num))
    tints = _srgb(light, rng.uniform(0.03, 0.13, (4, num)), rng.uniform(0, 2 * np.pi, (4, num)))
    return ground, figure, tints.swapaxes(0, 1)[..., None, None]


def _textured(rng: Generator, light: AnyFloats, chroma: AnyFloats, lighter: AnyFloats) -> AnyFloats:
    """(3, N, H, W) a random texture between two neighboring hues, second one `lighter`."""
    num = len(light)
    hue = rng.uniform(0, 2 * np.pi, num)
    first = _srgb(light, chroma, hue)[..., None, None]
    second = _srgb(light + lighter, chroma, hue + rng.uniform(-0.8, 0.8, num))[..., None, None]
    x, y = random_axes(rng, *(uniform(rng, num, 8, 24) for _ in range(2)))
    period = uniform(rng, num, 4, 8)
    kinds = rng.integers(len(_TEXTURES), size=num)
    blend = np.empty_like(x)
    for kind, texture in enumerate(_TEXTURES):
        own = kinds == kind
        blend[own] = texture(x[own], y[own], period[own], rng)
    return first + blend * (second - first)


def _srgb(light: AnyFloats, chroma: AnyFloats, hue: AnyFloats) -> AnyFloats:
    """(3, ...) sRGB, 0..255, of OKLCH: Ottosson 2020, https://bottosson.github.io/posts/oklab/."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    linear = np.clip(np.stack([red, green, blue], axis=0), 0, 1)
    curved = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * curved).astype(np.float32)


def _wave(x: AnyFloats, period: AnyFloats) -> AnyFloats:
    """Anti-aliased stripes, -1 and 1, each half a period wide."""
    return np.clip((np.abs(x / period - np.floor(x / period) - 0.5) - 0.25) * period * 2, -1, 1)


def _dots(x: AnyFloats, y: AnyFloats, period: AnyFloats, _rng: Generator) -> AnyFloats:
    x, y = ((axis / period - np.floor(axis / period) - 0.5) * period for axis in (x, y))
    return np.clip(0.5 + 0.3 * period - length(x, y), 0, 1)


def _clouds(x: AnyFloats, _y: AnyFloats, _period: AnyFloats, rng: Generator) -> AnyFloats:
    """Smooth noise: random values on a coarse grid, interpolated between its knots."""
    knots = np.arange(6)
    values = rng.random((len(x), 6, 6))
    weights = np.clip(1 - np.abs(np.linspace(0, 5, SIZE)[:, None] - knots), 0, 1)
    # Not matmul, whose rounding depends on the processor.
    rows = (weights[..., None] * values[:, None]).sum(axis=2)  # (N, H, 6)
    return (rows[:, :, None] * weights).sum(axis=3)


# (N, H, W) share, 0..1, of the second color at (x, y) pixels.
_TEXTURES: tuple[Callable[[AnyFloats, AnyFloats, AnyFloats, Generator], AnyFloats], ...] = (
    lambda x, _y, _period, _rng: np.zeros_like(x),
    lambda x, _y, _period, _rng: np.clip(0.5 + x / 28, 0, 1),
    lambda x, _y, period, _rng: 0.5 + 0.5 * _wave(x, period),
    lambda x, y, period, _rng: 0.5 + 0.5 * _wave(x, 1.4 * period) * _wave(y, 1.4 * period),
    _dots,
    _clouds,
)
