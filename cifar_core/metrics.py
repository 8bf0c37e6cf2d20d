"""Figures from predictions: arrays in, arrays out; nothing here knows of models or files."""

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], num_classes: int
) -> NDArray[np.int64]:
    """(K, K) counts; row: true class, column: predicted class."""
    cells = labels.astype(np.int64) * num_classes + predictions
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_acc(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) share of each true class that was recognised; nan for a class without images."""
    totals = matrix.sum(axis=1)
    found = np.full(len(matrix), np.nan)
    return np.divide(np.diag(matrix), totals, out=found, where=totals > 0)


def most_confused(matrix: NDArray[np.int64], count: int) -> list[tuple[int, int, int]]:
    """(true, predicted, how often) of the most frequent errors, at most `count`, ties in order."""
    errors = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:count]
    cells = [(int(cell // len(matrix)), int(cell % len(matrix))) for cell in order]
    return [(t, p, int(errors[t, p])) for t, p in cells if errors[t, p]]
