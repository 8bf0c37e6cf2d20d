"""The curve of an LR test: what is drawn equals the numbers."""

import json
from dataclasses import replace

import pytest

from cifar_core.lr_finder.curve import LRCurve, curve_of
from cifar_core.lr_finder.suggest import Suggestion
from cifar_core.plots import lr_test
from cifar_core.records.records import LRPoint
from tests.plots.test_training import drawn, layout_of

POINTS = [LRPoint(k + 1, 10 ** (k - 5), 2.0 - k / 10, 2.1 - k / 10) for k in range(6)]
SMOOTHED = [2.05, 1.9, 1.7, 1.2, 1.4, 90.0]
CURVE = LRCurve([point.lr for point in POINTS], SMOOTHED, SMOOTHED, SMOOTHED, 1)
EMPTY = LRCurve([], [], [], [], 0)
SUGGESTED = Suggestion("steepest", 1e-2, 3, "The loss falls fastest here.")


def test_the_curve_of_an_lr_test_lies_on_a_log_axis() -> None:
    figure = lr_test(POINTS, CURVE, lr_range=(1e-6, 10))
    raw, curve = drawn(figure)
    for trace in (raw, curve):
        assert list(trace.x) == [point.lr for point in POINTS]
    assert list(raw.y) == [point.raw for point in POINTS]
    assert list(curve.y) == SMOOTHED
    axis = layout_of(figure).xaxis
    assert axis.type == "log"
    assert list(axis.range) == pytest.approx([-6, 1])  # plotly wants exponents
    assert layout_of(lr_test(POINTS, CURVE)).xaxis.range is None
    assert not layout_of(figure).shapes


def test_the_suggestion_is_marked_on_the_curve() -> None:
    figure = lr_test(POINTS, CURVE, [SUGGESTED])
    mark = drawn(figure)[-1]
    assert (list(mark.x), list(mark.y)) == ([1e-2], [1.2])
    assert mark.name == "steepest: 0.01"
    (line,) = layout_of(figure).shapes
    assert line.x0 == line.x1 == 1e-2


def test_several_seeds_are_a_median_and_a_band() -> None:
    high = [loss + 1 for loss in SMOOTHED]
    figure = lr_test(POINTS, replace(CURVE, high=high, num_seeds=3), own=3e-3)
    _, upper, lower, curve = drawn(figure)
    assert (list(upper.y), list(lower.y), lower.fill) == (high, SMOOTHED, "tonexty")
    assert curve.name == "median of 3 seeds"
    assert layout_of(figure).annotations[0].text == "your LR"


def test_a_diverged_end_does_not_press_the_rest_flat() -> None:
    low, high = layout_of(lr_test(POINTS, CURVE)).yaxis.range
    assert low < min(SMOOTHED)
    assert max(SMOOTHED[:5]) < high < 10


def test_a_test_that_has_just_begun_is_drawn_too() -> None:
    for count in range(3):
        figure = lr_test(POINTS[:count], curve_of(POINTS[:count]), lr_range=(1e-5, 10))
        assert [len(trace.x) for trace in drawn(figure)] == [count, count]
        assert layout_of(figure).xaxis.type == "log", count


def test_the_figure_becomes_json() -> None:
    for figure in (lr_test(POINTS, CURVE, [SUGGESTED], (1e-5, 10)), lr_test([], EMPTY)):
        text = figure.to_json()
        assert text is not None
        assert "NaN" not in text
        assert json.loads(text)["data"]
