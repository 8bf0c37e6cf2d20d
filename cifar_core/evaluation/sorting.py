"""The orders in which the images of a table can be looked at."""

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.evaluation.history import History
from cifar_core.evaluation.predictions import Predictions

SORTS: dict[str, str] = {
    "confidence": "most certain first",
    "loss": "highest loss first",
    "margin": "closest call first",
    "index": "as in the data set",
}
# These need to know how each image fared over the epochs.
HISTORY_SORTS: dict[str, str] = {
    "learned": "learned last, or never",
    "forgotten": "forgotten most often",
}


def most_confident_errors(table: Predictions, count: int) -> list[int]:
    """Rows of the errors that the model was most certain of, at most so many."""
    return sort_rows(table, table.rows(), "confidence")[:count].tolist()


def sort_rows(
    table: Predictions, rows: NDArray[np.int64], by: str, history: History | None = None
) -> NDArray[np.int64]:
    """Rows of a table in one of the orders of `SORTS`; ties as in the data set.

    Args:
        history: Of the same images, for `HISTORY_SORTS`.

    Raises:
        ConfigError: if there is no such order, or no history for it.
    """
    keys = {
        "confidence": -table.confidence,
        "loss": -table.losses,
        "margin": table.margins,
        "index": table.examples.indices,
    }
    if history is not None:
        learned = np.where(history.learned == 0, np.iinfo(np.int64).max, history.learned)
        keys |= {"learned": -learned, "forgotten": -history.forgetting_events}
    if by not in keys:
        raise ConfigError(f"Unknown order {by!r}. Available: {', '.join(keys)}.")
    # Among those that fared alike, the highest loss first: of the errors most were never learned.
    then = -table.losses if by in HISTORY_SORTS else np.zeros(len(table.losses))
    return rows[np.lexsort((then[rows], keys[by][rows]))]
