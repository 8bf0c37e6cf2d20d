"""Long lines are thinned without losing what stands out."""

import numpy as np
import pytest

from cifar_core.plots import MAX_POINTS, thin


def test_few_values_are_all_kept() -> None:
    for length in (0, 1, 9, 10):
        assert thin(np.zeros(length), 10).tolist() == list(range(length))


@pytest.mark.parametrize("spike", [0, 1, 4999, 5000, 98_765, 99_999])
@pytest.mark.parametrize("height", [1.0, -1.0])
def test_thinning_keeps_a_spike_of_one_point(spike: int, height: float) -> None:
    values = np.zeros(100_000)
    values[spike] = height
    kept = thin(values, 200)
    assert spike in kept
    assert len(kept) <= 200


@pytest.mark.parametrize("length", [11, 12, 100, 1001])
@pytest.mark.parametrize("limit", [2, 3, 10])
def test_thinning_stays_in_order_and_within_the_limit(length: int, limit: int) -> None:
    values = np.random.default_rng(length).normal(size=length)
    kept = thin(values, limit)
    assert len(kept) <= limit
    assert (np.diff(kept) > 0).all()
    assert {int(values.argmin()), int(values.argmax())} <= set(kept.tolist())


@pytest.mark.parametrize("count", [2000, 2001, 3999, 100_003])
def test_thinning_keeps_the_extremes_of_every_bucket(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    kept = thin(values, MAX_POINTS)
    assert len(kept) <= MAX_POINTS
    assert np.all(np.diff(kept) > 0)
    assert {values.argmin(), values.argmax()} <= set(kept)
    if count <= MAX_POINTS:
        return
    size = -(-count // (MAX_POINTS // 2))
    for start in range(0, count, size):
        bucket = values[start : start + size]
        inside = values[kept[(kept >= start) & (kept < start + size)]]
        assert (inside.min(), inside.max()) == (bucket.min(), bucket.max())
