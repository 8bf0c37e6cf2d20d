"""Class counts and pixel histograms: what is drawn equals the counts."""

import numpy as np
import pytest

from cifar_core.plots import class_counts, pixel_histogram
from tests.plots.test_training import drawn, traces


def test_class_counts_are_bars_with_the_names() -> None:
    (bars,) = drawn(class_counts(np.array([5, 0, 7]), ["cat", "dog", "ship"]))
    assert (list(bars.x), list(bars.y)) == (["cat", "dog", "ship"], [5, 0, 7])


def test_pixel_shares_of_each_channel_sum_to_one() -> None:
    counts = np.random.default_rng(0).integers(0, 1000, (3, 256))
    found = traces(pixel_histogram(counts))
    assert list(found) == ["red", "green", "blue"]
    for trace, row in zip(found.values(), counts, strict=True):
        assert sum(trace.y) == pytest.approx(1)
        assert trace.y[17] == row[17] / row.sum()
        assert list(trace.x) == list(range(256))


def test_a_histogram_of_no_images_is_flat() -> None:
    for trace in drawn(pixel_histogram(np.zeros((3, 256), dtype=np.int64))):
        assert not np.any(trace.y)


def test_every_figure_becomes_json() -> None:
    names = [str(n) for n in range(10)]
    for figure in (class_counts(np.arange(10), names), pixel_histogram(np.ones((3, 256), int))):
        assert '"title"' in (figure.to_json() or "")
