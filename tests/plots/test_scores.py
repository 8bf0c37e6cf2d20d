"""Precision, recall, F1, calibration and matrix differences: what is drawn equals the numbers."""

import numpy as np
import pytest

from cifar_core.evaluation.metrics import calibration
from cifar_core.plots import class_scores, matrix_difference, reliability
from tests.plots.test_training import drawn, layout_of

CLASSES = ("ant", "bee", "cat")


def test_the_best_f1_is_on_top_and_missing_ones_last() -> None:
    scores = np.array([[0.5, 0.9, np.nan], [0.4, 0.8, np.nan], [0.45, 0.85, np.nan]])
    figure = class_scores(scores, CLASSES)
    for trace, row in zip(drawn(figure), scores, strict=True):
        assert list(trace.y) == ["bee", "ant", "cat"], trace.name
        assert list(trace.x) == pytest.approx([row[1], row[0], np.nan], nan_ok=True), trace.name
    assert [trace.name for trace in drawn(figure)] == ["precision", "recall", "F1"]
    assert layout_of(figure).yaxis.autorange == "reversed"


def test_calibration_is_drawn_with_the_share_of_images() -> None:
    values = calibration(np.array([0.61, 0.62, 1.0, 0.98]), np.array([True, False, True, True]))
    diagonal, shares, line = drawn(reliability(values))
    assert (list(diagonal.x), list(diagonal.y)) == ([0, 1], [0, 1])
    assert np.nansum(shares.y) == 1
    assert list(line.y) == pytest.approx(values.acc.tolist(), nan_ok=True)
    assert layout_of(reliability(values)).title.text == f"Calibration, ECE {values.error:.2%}"


def test_a_difference_is_the_second_matrix_minus_the_first() -> None:
    first = np.array([[5, 2, 0], [1, 6, 0], [0, 0, 7]])
    second = np.array([[6, 1, 0], [3, 4, 0], [0, 0, 7]])
    heat, texts = drawn(matrix_difference(first, second, CLASSES))
    assert heat.z.tolist() == [[1, 1, 0], [-2, -2, 0], [0, 0, 0]]  # positive is better
    assert list(texts.text) == ["+1", "-1", "", "+2", "-2", "", "", "", ""]
    layout = layout_of(matrix_difference(first, second, CLASSES))
    assert (layout.yaxis.title.text, layout.xaxis.title.text) == ("True label", "Predicted label")
