"""`valley` and `slide` against fastai's definitions of them, on synthetic curves.

The definitions are those of `fastai/callback/schedule.py` (fastai 2.7), written down here in their
own loops; ours are computed otherwise.
"""

import math

import numpy as np
import pytest

from cifar_core.lr_finder.suggest import SKIPPED_END, SKIPPED_SHARE, slide, valley

LRS = np.geomspace(1e-5, 10, 100)
X = np.log10(LRS)
USED = slice(len(LRS) // SKIPPED_SHARE, -SKIPPED_END)
NOISE = np.random.default_rng(4).normal(0, 1, (10, len(LRS)))


def valley_of_fastai(losses: np.ndarray) -> int:
    longest, best_start, best_end = [1] * len(losses), 0, 0
    for i in range(1, len(losses)):
        for j in range(i):
            if losses[i] < losses[j] and longest[i] < longest[j] + 1:
                longest[i] = longest[j] + 1
            if longest[best_end] < longest[i]:
                best_end, best_start = i, i - longest[i]
    third = (best_end - best_start) / 3
    return best_start + int(third) + int(third / 2)


def slide_of_fastai(losses: np.ndarray, gap: int = 15, change: float = 0.005) -> int | None:
    slopes = np.gradient(losses)
    right, left = -1, -1 - gap
    place = left
    while left >= -len(losses) and abs(slopes[right] - slopes[left]) > change:
        place = left
        right, left = right - 1, left - 1
    return None if left < -len(losses) else len(losses) + place


def bowl(fall_at: float, rise_at: float, noise: float = 0.0, number: int = 0) -> np.ndarray:
    down = 1.5 / (1 + np.exp(-(X - fall_at) / 0.3))
    up = 1.0 / (1 + np.exp(-(X - rise_at) / 0.15))
    return 2.3 - down + up + noise * NOISE[number]


CURVES = {
    "bowl": bowl(-3.5, 0.8),
    "late bowl": bowl(-1.5, 0.9),
    "early bowl": bowl(-4.6, -0.5),
    "falls from its first point": 5 - X,
    "falls ever faster": 9 - 0.1 * (X + 6) ** 2,
    "falls ever slower": 2 + np.exp(-(X + 5)),
    "parabola": 2 + 0.1 * (X + 1.5) ** 2,
    "waves": 3 - 0.3 * X + 0.2 * np.sin(5 * X),
    "noisy bowl": bowl(-3.0, 0.8, 0.01, 1),
    "noisier bowl": bowl(-2.5, 0.9, 0.03, 2),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_valley_is_fastais(name: str) -> None:
    ours = valley(LRS.tolist(), CURVES[name].tolist(), math.inf)
    assert ours is not None
    assert ours.index == USED.start + valley_of_fastai(CURVES[name][USED])
    assert ours.lr == LRS[ours.index]


@pytest.mark.parametrize("name", CURVES)
def test_the_slide_is_fastais_where_the_loss_rises_in_the_end(name: str) -> None:
    used = CURVES[name][USED]
    ours, theirs = slide(LRS.tolist(), CURVES[name].tolist(), math.inf), slide_of_fastai(used)
    rises = np.gradient(used)[-1] > 0.005
    if not rises or theirs is None:
        assert ours is None, "there is no end of the fall"
        return
    assert ours is not None
    assert ours.index == USED.start + theirs


def test_enough_of_the_curves_have_a_slide() -> None:
    found = [slide(LRS.tolist(), losses.tolist(), math.inf) for losses in CURVES.values()]
    assert sum(one is not None for one in found) >= 4
