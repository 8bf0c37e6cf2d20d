"""The ten outlines of Shapes-10 as signed distances.

After Quilez, https://iquilezles.org/articles/distfunctions2d/.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.arrays import AnyFloats


def outline_distances(
    labels: NDArray[np.integer[Any]], x: AnyFloats, y: AnyFloats, form: AnyFloats
) -> AnyFloats:
    """Distances, negative inside, from (x, y) to shapes inside the unit circle.

    Args:
        labels: (N,) indices into `OUTLINES`.
        x: (N, H, W); so is `y`.
        form: (N, 1, 1), 0..1; varies the build.
    """
    distance = np.empty_like(x)
    for label, outline in enumerate(OUTLINES.values()):
        own = labels == label
        distance[own] = outline(x[own], y[own], form[own])
    return distance


def length(x: AnyFloats, y: AnyFloats) -> AnyFloats:
    """Distance of (x, y) to the origin."""
    return np.sqrt(x * x + y * y)


def _box(x: AnyFloats, y: AnyFloats, wide: AnyFloats | float, high: AnyFloats | float) -> AnyFloats:
    """Distance to a rectangle of half sizes `wide` and `high`, corners rounded."""
    right, up = np.abs(x) - (wide - 0.06), np.abs(y) - (high - 0.06)
    outside = length(np.maximum(right, 0), np.maximum(up, 0))
    return outside + np.minimum(np.maximum(right, up), 0) - 0.06


def _polygon(
    x: AnyFloats, y: AnyFloats, corners: Sequence[tuple[AnyFloats | float, ...]]
) -> AnyFloats:
    """Distance to a polygon grown by 0.06, which rounds its corners."""
    nearest = np.full_like(x, np.inf)
    inside = np.zeros(x.shape, np.bool_)
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
        inside ^= ((ay > y) != (by > y)) & ((ex * wy < ey * wx) == (by > ay))
    return np.where(inside, np.float32(-1), np.float32(1)) * np.sqrt(nearest) - 0.06


def _crescent(x: AnyFloats, y: AnyFloats, form: AnyFloats) -> AnyFloats:
    outer, inner, shift = 0.97, 0.74, 0.48 + 0.08 * form
    bitten = np.maximum(length(x, y) - outer, inner - length(x - shift, y))
    tip_x = (outer**2 - inner**2 + shift * shift) / (2 * shift)
    tip_y, y = np.sqrt(outer**2 - tip_x * tip_x), np.abs(y)
    beyond = x * tip_y - y * tip_x > shift * np.maximum(tip_y - y, 0)
    return np.where(beyond, length(x - tip_x, y - tip_y), bitten)


def _heart(x: AnyFloats, y: AnyFloats, form: AnyFloats) -> AnyFloats:
    scale = 0.66 + 0.04 * form
    x, y = np.abs(x) * scale, 0.6 - y * scale
    lobe = length(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    along = 0.5 * np.maximum(x + y, 0)
    point = np.minimum(x * x + (y - 1) ** 2, (x - along) ** 2 + (y - along) ** 2)
    return np.where(x + y > 1, lobe, np.sign(x - y) * np.sqrt(point)) / scale


def _star(x: AnyFloats, y: AnyFloats, form: AnyFloats) -> AnyFloats:
    reach = [0.94, 0.36 + 0.1 * form] * 5
    turns = [math.pi * corner / 5 for corner in range(10)]
    corners = [(r * math.sin(t), -r * math.cos(t)) for r, t in zip(reach, turns, strict=True)]
    return _polygon(x, y, corners)


def _arrow(x: AnyFloats, y: AnyFloats, form: AnyFloats) -> AnyFloats:
    head, shaft = 0.58 + 0.1 * form, 0.12 + 0.06 * form
    right = [(head, 0.0), (shaft, 0.0), (shaft, 0.88)]
    return _polygon(x, y, [(0.0, -0.93), *right, *((-px, py) for px, py in reversed(right))])


OUTLINES: dict[str, Callable[[AnyFloats, AnyFloats, AnyFloats], AnyFloats]] = {
    "circle": lambda x, y, form: length(x, y) - (0.8 + 0.1 * form),
    "ring": lambda x, y, form: np.abs(length(x, y) - 0.79 + 0.06 * form) - 0.15 - 0.05 * form,
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
