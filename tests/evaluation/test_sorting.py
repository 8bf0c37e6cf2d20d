"""All six sort orders against row lists written by hand, ties among them."""

from itertools import chain

import numpy as np
import pytest

from cifar_core.errors import ConfigError
from cifar_core.evaluation.history import History
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from cifar_core.evaluation.sorting import (
    HISTORY_SORTS,
    SORTS,
    most_confident_errors,
    sort_rows,
)
from tests.evaluation.test_predictions import CHECKPOINT, NOTE

#         probabilities      label  index   confidence  p(label)  margin
IMAGES = [
    ([0.70, 0.20, 0.10], 0, 9),  #  0.7         0.7       0.5
    ([0.10, 0.80, 0.10], 0, 4),  #  0.8         0.1       0.7
    ([0.30, 0.50, 0.20], 1, 16),  # 0.5         0.5       0.2
    ([0.60, 0.30, 0.10], 2, 7),  #  0.6         0.1       0.3
    ([0.10, 0.80, 0.10], 2, 4),  #  0.8         0.1       0.7
    ([0.25, 0.25, 0.50], 1, 11),  # 0.5         0.25      0.25
]
#           correct after epochs 1 to 4    learned  forgetting events
CORRECT = [
    (True, True, True, True),  #           1        0
    (False, False, False, False),  #       never    0
    (False, False, True, True),  #         3        0
    (True, False, True, False),  #         never    2
    (False, False, False, False),  #       never    0
    (True, False, True, True),  #          3        1
]
# Rows in order; those in one group tie and keep the order they came in.
GROUPS = {
    "confidence": [[1, 4], [0], [3], [2, 5]],
    "loss": [[1, 3, 4], [5], [2], [0]],
    "margin": [[2], [5], [3], [0], [1, 4]],
    "index": [[1, 4], [3], [0], [5], [2]],
    "learned": [[1, 3, 4], [5], [2], [0]],  # 5 before 2: its loss is higher
    "forgotten": [[1, 4], [3], [5], [2], [0]],  # never correct, then by events, then by loss
}


def by_hand() -> tuple[Predictions, History]:
    probs, labels, indices = (np.array(column) for column in zip(*IMAGES, strict=True))
    images, labels = np.zeros((17, 32, 32, 3), np.uint8), labels.astype(np.uint8)
    examples = EvalSplit("test", ("ant", "bee", "cat"), "f", images, labels, indices)
    predictions = Predictions(np.log(probs).astype(np.float32), examples, CHECKPOINT, NOTE)
    predicted = np.where(np.array(CORRECT).T, labels, (labels + 1) % 3).astype(np.uint8)
    history = History(examples, np.arange(1, 5), predicted, np.zeros((4, 6), np.float16))
    return predictions, history


def test_every_order_has_a_list_by_hand() -> None:
    assert set(GROUPS) == {*SORTS, *HISTORY_SORTS}


@pytest.mark.parametrize("by", GROUPS)
def test_rows_come_in_the_order_written_by_hand(by: str) -> None:
    (predictions, history), groups = by_hand(), GROUPS[by]

    def ordered(rows: list[int]) -> list[int]:
        return sort_rows(predictions, np.array(rows, np.int64), by, history).tolist()

    assert ordered([0, 1, 2, 3, 4, 5]) == list(chain(*groups))
    assert ordered([5, 4, 3, 2, 1, 0]) == list(chain(*(group[::-1] for group in groups)))
    # An unstable sort keeps ties of few rows by luck.
    assert ordered([0, 1, 2, 3, 4, 5] * 50) == list(chain(*(group * 50 for group in groups)))
    assert ordered([5, 1, 0]) == [row for row in chain(*groups) if row in (0, 1, 5)]
    assert ordered([]) == []


def test_the_most_confident_errors_come_first() -> None:
    predictions, _ = by_hand()
    assert most_confident_errors(predictions, 3) == [1, 4, 3]
    assert most_confident_errors(predictions, 99) == [1, 4, 3, 5]
    assert most_confident_errors(predictions, 0) == []


def test_unknown_orders_and_a_missing_history_are_refused() -> None:
    predictions, history = by_hand()
    rows = np.arange(6)
    with pytest.raises(ConfigError, match=r"Unknown order 'size'. Available: confidence, loss"):
        sort_rows(predictions, rows, "size", history)
    for by in HISTORY_SORTS:
        with pytest.raises(ConfigError, match=f"Unknown order '{by}'"):
            sort_rows(predictions, rows, by)
