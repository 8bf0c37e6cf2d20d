"""How far a loss may seem to fall because batches differ, not because the model learns."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from cifar_core.lr_finder.curve import LRCurve, smoothing_weights

# Of curves without any fall, this share at most passes for falling, if losses scatter normally.
# It is less, as neighboring points are correlated: 0 to 4 % of curves of 20 to 300 points.
ALPHA = 0.05
MIN_DIFFERENCES = 8  # to measure how losses scatter


def fall_by_chance(curve: LRCurve, first: int, lowest: int, end: int) -> float:
    """By how much the smoothed loss may fall from one point to another although nothing changes.

    If nothing changes, the losses of the batches are independent with one variance s^2. A smoothed
    loss is their sum weighted by w, so the fall from the point `first` to `lowest` has mean 0 and
    variance s^2 * sum((w_first - w_lowest)^2). As `lowest` is the best of `end - first - 1` points,
    the quantile is that of a level as many times smaller (Bonferroni). The median of k seeds has at
    most pi/2k of the variance of one, the factor of a median of many normal values.

    Args:
        first, lowest, end: The points are first..end-1, and `lowest` is that of the lowest loss.

    Returns:
        What a fall exceeds in at most `ALPHA` of such curves; 0 for a curve without its raw losses.

    Source of s^2: half the mean square of successive differences, which a slow trend hardly moves;
    von Neumann et al. 1941, https://doi.org/10.1214/aoms/1177731746.
    """
    if not curve.raw or lowest <= first:
        return 0.0
    num_seeds, last = len(curve.raw), max(lowest, first + MIN_DIFFERENCES)
    variance = float(np.mean([_variance(raw, first, lowest, last) for raw in curve.raw]))
    variance *= math.pi / (2 * num_seeds) if num_seeds > 1 else 1.0
    return NormalDist().inv_cdf(1 - ALPHA / (end - first - 1)) * math.sqrt(variance)


def _variance(raw: Sequence[float], first: int, lowest: int, last: int) -> float:
    """Of the fall of one seed; later losses than `last` scatter more, as the rate is too high."""
    scatter = float(np.mean(np.square(np.diff(raw[: last + 1])))) / 2
    start, bottom = smoothing_weights(len(raw), [first, lowest])
    return scatter * float(np.square(start - bottom).sum())
