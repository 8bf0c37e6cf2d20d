"""Filters: which rows they leave, and in which order, against lists written by hand."""

from dataclasses import replace

import numpy as np
import pytest

from cifar_core.errors import ConfigError
from cifar_core.evaluation.filters import (
    LABEL_ISSUES,
    SHOWS,
    Filter,
    available_shows,
    available_sorts,
    filter_rows,
)
from cifar_core.evaluation.predictions import OUTCOMES
from cifar_core.evaluation.sorting import HISTORY_SORTS, SORTS
from tests.evaluation.test_predictions import predictions_of
from tests.evaluation.test_sorting import by_hand

# Rows 0 to 5: labels 0 0 1 2 2 1, predicted 0 1 1 0 1 2, confidence 70 80 50 60 80 50 percent,
# dataset indices 4 7 9 11 15 16. Sorted by confidence: 1 4 0 3 2 5.
CASES: list[tuple[Filter, list[int]]] = [
    (Filter(), [1, 4, 3, 5]),
    (Filter(show="correct"), [0, 2]),
    (Filter(show="all"), [1, 4, 0, 3, 2, 5]),
    (Filter(show="all", sort="index"), [0, 1, 2, 3, 4, 5]),
    (Filter(show="all", sort="loss"), [1, 3, 4, 5, 2, 0]),
    (Filter(true=2), [4, 3]),
    (Filter(true=2, show="correct"), []),
    (Filter(predicted=1), [1, 4]),
    (Filter(predicted=1, show="all"), [1, 4, 2]),
    (Filter(true=0, predicted=0), []),
    (Filter(true=0, predicted=0, show="all"), [0]),
    (Filter(true=0, predicted=1), [1]),
    (Filter(show="all", confidence=(55, 75)), [0, 3]),
    (Filter(show="all", confidence=(0, 55)), [2, 5]),
    (Filter(show="errors", confidence=(75, 100)), [1, 4]),
    (Filter(show="all", confidence=(90, 100)), []),
    (Filter(show="all", indices=(16, 4, 99)), [0, 5]),
    (Filter(show="errors", indices=(16, 4)), [5]),
    (Filter(show="all", indices=()), []),
    (Filter(true=2, predicted=1, show="all", confidence=(75, 85), indices=(15,)), [4]),
    (Filter(true=2, predicted=1, show="all", confidence=(75, 85), indices=(7,)), []),
    (Filter(show=LABEL_ISSUES), [1, 2]),
    (Filter(show=LABEL_ISSUES, sort="index"), [1, 2]),
    (Filter(show=LABEL_ISSUES, sort="margin"), [2, 1]),
    (Filter(show=LABEL_ISSUES, predicted=1, true=1), [2]),
]


def test_filters_leave_the_rows_written_by_hand() -> None:
    predictions, label_issues = predictions_of(), np.array([2, 1])
    for selected, rows in CASES:
        assert filter_rows(predictions, selected, label_issues).tolist() == rows, selected


def test_the_ends_of_the_confidence_range_are_included() -> None:
    predictions = predictions_of()
    certain = np.log(np.array([[1, 0, 0]] * 6, np.float32), where=np.eye(3)[[0] * 6] > 0,
                     out=np.full((6, 3), -np.inf, np.float32))  # fmt: skip
    certain = replace(predictions, log_probs=certain)
    for confidence, rows in (((100, 100), [0, 1]), ((0, 99), [])):
        selected = Filter(true=0, show="all", confidence=confidence)
        assert filter_rows(certain, selected).tolist() == rows, confidence


def test_orders_by_history_need_one() -> None:
    predictions, history = by_hand()
    selected = Filter(show="all", sort="forgotten")
    assert filter_rows(predictions, selected, history=history).tolist() == [1, 4, 3, 5, 2, 0]
    with pytest.raises(ConfigError, match="Unknown order 'forgotten'"):
        filter_rows(predictions, selected)


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Unknown show 'right'\. Available: errors, correct"):
        filter_rows(predictions_of(), Filter(show="right"))
    with pytest.raises(ConfigError, match="needs label issues"):
        filter_rows(predictions_of(), Filter(show=LABEL_ISSUES))


def test_only_what_applies_is_available() -> None:
    predictions, history = by_hand()
    assert set(OUTCOMES) < set(SHOWS)
    assert available_shows(predictions) == list(SHOWS)
    shapes = replace(predictions, note=replace(predictions.note, data="Shapes-10"))
    trained_on = replace(predictions, examples=replace(predictions.examples, split="train"))
    for other in (shapes, trained_on):
        assert available_shows(other) == list(OUTCOMES)
    assert available_sorts(None) == SORTS
    assert available_sorts(history) == {**SORTS, **HISTORY_SORTS}
