"""The images that a filter leaves, and in which order; selects and sorts rows of `Predictions`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.evaluation.history import History
from cifar_core.evaluation.label_issues import can_find_label_issues
from cifar_core.evaluation.predictions import OUTCOMES, Predictions
from cifar_core.evaluation.sorting import HISTORY_SORTS, SORTS, sort_rows

LABEL_ISSUES = "label_issues"
SHOWS = {
    "errors": "Errors",
    "correct": "Correct",
    "all": "All",
    LABEL_ISSUES: "Possible label error",
}


@dataclass(frozen=True)
class Filter:
    """Which images to show, and in which order.

    Attributes:
        true: Class index of the label; None for any.
        predicted: Class index of the prediction; None for any.
        show: One of `SHOWS`.
        confidence: Lowest and highest confidence in percent, both included.
        indices: The only dataset indices to keep, such as those of a selection; None for all.
        sort: One of `SORTS` or `HISTORY_SORTS`.
    """

    true: int | None = None
    predicted: int | None = None
    show: str = "errors"
    confidence: tuple[int, int] = (0, 100)
    indices: tuple[int, ...] | None = None
    sort: str = "confidence"


def available_shows(predictions: Predictions) -> list[str]:
    """The keys of `SHOWS` that apply: label errors only where they can be found."""
    return [s for s in SHOWS if s != LABEL_ISSUES or can_find_label_issues(predictions)]


def available_sorts(history: History | None) -> dict[str, str]:
    """Label by sort order; those of `HISTORY_SORTS` only with a history."""
    return {**SORTS, **(HISTORY_SORTS if history is not None else {})}


def filter_rows(
    predictions: Predictions,
    selected: Filter,
    label_issues: NDArray[np.int64] | None = None,
    history: History | None = None,
) -> NDArray[np.int64]:
    """(M,) int64 rows that a filter leaves, sorted.

    Args:
        label_issues: (L,) rows that `find_label_issues` gives; needed to show only these.
        history: Of the same images; needed for `HISTORY_SORTS`.

    Raises:
        ConfigError: if `show` or `sort` is unknown, or what it needs is missing.
    """
    show = selected.show
    if show == LABEL_ISSUES and label_issues is None:
        raise ConfigError(f"show = {show!r} needs label issues. Find them first.")
    if show not in SHOWS:
        raise ConfigError(f"Unknown show {show!r}. Available: {', '.join(SHOWS)}.")
    outcome = show if show in OUTCOMES else "all"
    rows = predictions.rows(selected.true, selected.predicted, outcome)
    if show == LABEL_ISSUES and label_issues is not None:
        rows = rows[np.isin(rows, label_issues)]
    low, high = selected.confidence
    percent = 100 * predictions.confidence[rows]
    rows = rows[(percent >= low) & (percent <= high)]
    if selected.indices is not None:
        rows = rows[np.isin(predictions.examples.indices[rows], selected.indices)]
    return sort_rows(predictions, rows, selected.sort, history)
