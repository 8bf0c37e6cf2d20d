"""The orders in which the images of a table can be looked at."""

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.tables import Table

SORTS: dict[str, str] = {
    "confidence": "most certain first",
    "loss": "highest loss first",
    "margin": "closest call first",
    "index": "as in the data set",
}


def in_order(table: Table, rows: NDArray[np.int64], by: str) -> NDArray[np.int64]:
    """Rows of a table in one of the orders of `SORTS`; ties as in the data set.

    Raises:
        ConfigError: if there is no such order.
    """
    keys = {
        "confidence": -table.confidence,
        "loss": -table.losses,
        "margin": table.margins,
        "index": table.examples.indices,
    }
    if by not in keys:
        raise ConfigError(f"Unknown order {by!r}. Available: {', '.join(SORTS)}.")
    return rows[np.argsort(keys[by][rows], kind="stable")]
