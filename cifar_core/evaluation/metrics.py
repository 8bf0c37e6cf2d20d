"""Metrics of predictions: arrays in, arrays out; no models, no files."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_BINS = 15  # as in Guo et al. 2017


def confusion_matrix(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], num_classes: int
) -> NDArray[np.int64]:
    """(K, K) counts; row: true class, column: predicted class."""
    cells = labels.astype(np.int64) * num_classes + predictions
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def per_class_accuracy(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) accuracy of each true class, its recall; nan for a class without images."""
    totals = matrix.sum(axis=1)
    out = np.full(len(matrix), np.nan)
    return np.divide(np.diag(matrix), totals, out=out, where=totals > 0)


def most_confused(matrix: NDArray[np.int64], count: int) -> list[tuple[int, int, int]]:
    """(true, predicted, count) of the `count` most frequent errors; ties in matrix order."""
    errors = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:count]
    cells = [(int(cell // len(matrix)), int(cell % len(matrix))) for cell in order]
    return [(t, p, int(errors[t, p])) for t, p in cells if errors[t, p]]


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """The 95% confidence interval of a proportion.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953, through scipy.
    """
    from scipy.stats import binomtest

    interval = binomtest(hits, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def topk_accuracy(
    log_probs: NDArray[np.floating], labels: NDArray[np.integer], count: int
) -> float:
    """Share of images whose true class is among the `count` most probable.

    Of equally probable classes the one with the lower number comes first, as in a prediction.
    """
    own = log_probs[np.arange(len(labels)), labels][:, None]
    lower = np.arange(log_probs.shape[1]) < labels[:, None]
    before = (log_probs > own) | ((log_probs == own) & lower)
    return float((before.sum(axis=1) < count).mean())


def precision_recall_f1(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(3, K) precision, recall and F1 of each class; nan where there is nothing to divide by."""
    both = matrix.sum(axis=1) + matrix.sum(axis=0)
    f1 = np.divide(2 * np.diag(matrix), both, out=np.full(len(matrix), np.nan), where=both > 0)
    return np.stack([per_class_accuracy(matrix.T), per_class_accuracy(matrix), f1])


@dataclass(frozen=True, eq=False)
class Calibration:
    """Confidence and accuracy in bins of equal width.

    Attributes:
        confidence: (B,) mean confidence of the images in a bin; nan for an empty bin.
        acc: (B,) accuracy of the images in a bin; nan for an empty bin.
        counts: (B,) number of images in a bin.
        error: Expected calibration error (ECE): mean gap of the two, weighted by counts.
    """

    confidence: NDArray[np.float64]
    acc: NDArray[np.float64]
    counts: NDArray[np.int64]
    error: float


def calibration(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> Calibration:
    """Confidence and accuracy of (N,) predictions.

    Args:
        confidence: (N,) probability of the predicted class, 0..1.
        correct: (N,) whether the prediction is correct.

    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3, with 15 bins.
    """
    bins = np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)
    counts = np.bincount(bins, minlength=NUM_BINS)
    empty = np.full(NUM_BINS, np.nan)
    mean, acc = (
        np.divide(
            np.bincount(bins, weights=values, minlength=NUM_BINS),
            counts,
            out=empty.copy(),
            where=counts > 0,
        )
        for values in (confidence.astype(np.float64), correct.astype(np.float64))
    )
    error = np.nansum(counts * np.abs(acc - mean)) / max(len(confidence), 1)
    return Calibration(mean, acc, counts, float(error))


@dataclass(frozen=True)
class McNemarTest:
    """Result of McNemar's test of two models on the same images.

    Attributes:
        fixed: Images that only the second predicts correctly.
        broken: Images that only the first predicts correctly.
        total: All images.
        p: p-value, two-sided.
    """

    fixed: int
    broken: int
    total: int
    p: float

    def __str__(self) -> str:
        """The result in one sentence."""
        gain = (self.fixed - self.broken) / self.total
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        meaning = "significant" if self.p < 0.05 else "not significant"
        return (
            f"{100 * gain:+.2f} percentage points: {self.fixed:,} fixed, {self.broken:,} broken; "
            f"{meaning} ({p})."
        )


def mcnemar_test(
    first_correct: NDArray[np.bool_], second_correct: NDArray[np.bool_]
) -> McNemarTest:
    """Compares two models on the same images.

    Source: McNemar 1947, https://doi.org/10.1007/BF02295996, in its exact form: a two-sided
    binomial test of the images that only one predicts correctly.
    """
    from scipy.stats import binomtest

    fixed = int((second_correct & ~first_correct).sum())
    broken = int((first_correct & ~second_correct).sum())
    p = float(binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0
    return McNemarTest(fixed, broken, len(first_correct), p)
