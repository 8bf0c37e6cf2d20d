"""Long lines are thinned without losing what stands out."""

import itertools

import numpy as np

from cifar_core.plots import MAX_POINTS, thin


def test_few_values_are_all_kept() -> None:
    for length in (0, 1, 9, 10):
        assert thin(np.zeros(length), 10).tolist() == list(range(length))


def test_thinning_keeps_a_spike_of_one_point() -> None:
    for spike, height in itertools.product((0, 1, 4999, 5000, 98_765, 99_999), (1.0, -1.0)):
        values = np.zeros(100_000)
        values[spike] = height
        indices = thin(values, 200)
        assert spike in indices, (spike, height)
        assert len(indices) <= 200


def test_thinning_stays_in_order_and_within_the_limit() -> None:
    for length, limit in itertools.product((11, 12, 100, 1001), (2, 3, 10)):
        values = np.random.default_rng(length).normal(size=length)
        indices = thin(values, limit)
        assert len(indices) <= limit, (length, limit)
        assert (np.diff(indices) > 0).all(), (length, limit)
        assert {int(values.argmin()), int(values.argmax())} <= set(indices.tolist())


def test_thinning_keeps_the_extremes_of_every_bucket() -> None:
    for count in (2000, 2001, 3999, 100_003):
        values = np.random.default_rng(count).normal(size=count)
        indices = thin(values, MAX_POINTS)
        assert len(indices) <= MAX_POINTS
        assert np.all(np.diff(indices) > 0)
        assert {values.argmin(), values.argmax()} <= set(indices)
        if count <= MAX_POINTS:
            continue
        size = -(-count // (MAX_POINTS // 2))
        for start in range(0, count, size):
            bucket = values[start : start + size]
            inside = values[indices[(indices >= start) & (indices < start + size)]]
            extremes = (inside.min(), inside.max())
            assert extremes == (bucket.min(), bucket.max()), (count, start)
