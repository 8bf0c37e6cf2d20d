"""Sort orders for the images of a split."""

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.evaluation.history import History
from cifar_core.evaluation.predictions import Predictions

SORTS: dict[str, str] = {
    "confidence": "Highest confidence",
    "loss": "Highest loss",
    "margin": "Smallest margin",
    "index": "Dataset order",
}
# These need the predictions after every epoch.
HISTORY_SORTS: dict[str, str] = {
    "learned": "Never or last learned",
    "forgotten": "Most forgetting events",
}


def most_confident_errors(predictions: Predictions, count: int) -> list[int]:
    """Rows of the errors with the highest confidence, at most `count`."""
    return sort_rows(predictions, predictions.rows(), "confidence")[:count].tolist()


def sort_rows(
    predictions: Predictions, rows: NDArray[np.int64], by: str, history: History | None = None
) -> NDArray[np.int64]:
    """(M,) rows in one of the orders of `SORTS` or `HISTORY_SORTS`.

    Ties keep the order of `rows`; in `HISTORY_SORTS` the higher loss comes first.

    Args:
        rows: (M,) int64.
        history: Of the same images, for `HISTORY_SORTS`.

    Raises:
        ConfigError: if the order is unknown, or needs a history and there is none.
    """
    keys = {
        "confidence": -predictions.confidence,
        "loss": -predictions.losses,
        "margin": predictions.margins,
        "index": predictions.examples.indices,
    }
    if history is not None:
        learned = np.where(history.learned == 0, np.iinfo(np.int64).max, history.learned)
        # Toneva et al. 2019: what was never learned counts as forgotten infinitely often.
        events = np.where(history.correct.any(axis=0), history.forgetting_events, np.inf)
        keys |= {"learned": -learned, "forgotten": -events}
    if by not in keys:
        raise ConfigError(f"Unknown order {by!r}. Available: {', '.join(keys)}.")
    # Most errors were never learned and would tie, so the loss decides among them.
    losses = predictions.losses
    tie_break = -losses if by in HISTORY_SORTS else np.zeros(len(losses))
    return rows[np.lexsort((tie_break[rows], keys[by][rows]))]
