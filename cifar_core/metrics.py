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
