"""The curve of an LR test: a weighted mean of each seed, the median of several."""

import math

import numpy as np
import pytest

from cifar_core.lr_finder.curve import centered, curve_of
from cifar_core.records.records import LRPoint

LRS = np.geomspace(1e-5, 10, 100)
LOSSES = (2.3 - 1.5 / (1 + np.exp(-(np.log10(LRS) + 3.5) / 0.3))).tolist()  # falls around 10^-3.5


def test_centered_smoothing_is_a_weighted_mean() -> None:
    assert centered([]) == []
    assert centered([2.5]) == [2.5]
    assert centered([3.0] * 50) == pytest.approx([3.0] * 50)
    spike = centered([0.0] * 50 + [1.0] + [0.0] * 50)
    assert spike == pytest.approx(spike[::-1])
    assert np.argmax(spike) == 50
    assert spike[54] / spike[50] == pytest.approx(math.exp(-((4 / 4.04) ** 2) / 2), rel=1e-3)


def points_of(raw: list[float], repeat: int) -> list[LRPoint]:
    return [LRPoint(k + 1, LRS[k], loss, loss, repeat) for k, loss in enumerate(raw)]


def test_several_seeds_are_their_median_over_what_all_have_done() -> None:
    rows = [LOSSES, [loss + 1 for loss in LOSSES], [loss + 5 for loss in LOSSES][:80]]
    points = [point for n, row in enumerate(rows) for point in points_of(row, n)]
    found = curve_of(points)
    assert (found.num_seeds, len(found.lrs)) == (3, 80)
    smooth = [centered(row)[:80] for row in rows]
    assert found.losses == pytest.approx(np.median(smooth, axis=0).tolist())
    assert found.low == pytest.approx(np.min(smooth, axis=0).tolist())
    assert found.high == pytest.approx(np.max(smooth, axis=0).tolist())


def test_a_seed_at_work_does_not_count_yet_unless_it_is_the_first() -> None:
    first, second = points_of(LOSSES, 0), points_of(LOSSES[:7], 1)
    assert len(curve_of([*first, *second], running=True).lrs) == 100
    assert len(curve_of(first[:7], running=True).lrs) == 7
    assert len(curve_of([*first, *second]).lrs) == 7
    assert curve_of([]).losses == []
