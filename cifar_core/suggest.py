"""Rules that read a learning rate off the curve of an LR test; pure, on plain numbers.

A rule takes the learning rates and smoothed losses of a test in their order, and answers with a
`Suggestion`, or with None where the curve does not support one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.records import LRPoint

# What fastai's `lr_find` leaves out before it asks any rule: the first tenth, where the loss
# still settles, and the last five points.
SKIPPED_SHARE, SKIPPED_END = 10, 5
MIN_POINTS = 8
# A loss that rises again by as much as it fell, and by this share of the first ones, has blown up,
# even where it is far from five times the lowest: an untrained network's cannot get there. What it
# falls back from there is no learning.
BLOWN_UP = 0.05
MIN_FALL = 0.01  # of the loss; what falls less is as good as flat


@dataclass(frozen=True)
class Suggestion:
    """A learning rate that a rule proposes.

    Attributes:
        rule: Name of the function.
        index: Of the point on the curve, from 0.
        reason: One sentence for the screen.
    """

    rule: str
    lr: float
    index: int
    reason: str


def steepest(
    lrs: Sequence[float], losses: Sequence[float], diverge_factor: float = 5.0
) -> Suggestion | None:
    """Where the loss falls fastest over the logarithm of the learning rate.

    Central differences, while fastai has forward ones: half as noisy. Points after the lowest
    loss do not count, nor do diverged ones, where a loss that bounces back falls fastest of all.

    Args:
        lrs: Positive and rising.
        diverge_factor: A loss of more than this times the lowest before it has diverged.

    Returns:
        None for a curve that is flat, only rises or has fewer than 8 usable points.

    Source: Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3, where the loss falls
    before it grows ragged; the rule is `steep` of fastai's callback/schedule.py.
    """
    rates, values = np.asarray(lrs, np.float64), np.asarray(losses, np.float64)
    count = _count_sound(rates, values, diverge_factor)
    rates, values = rates[:count], values[:count]
    first, end = count // SKIPPED_SHARE, count - SKIPPED_END
    if end - first < MIN_POINTS:
        return None
    lowest = first + int(np.argmin(values[first:end]))
    slopes = np.gradient(values, np.log10(rates))
    index = first + int(np.argmin(slopes[first : lowest + 1]))
    if slopes[index] >= 0 or values[first] - values[lowest] < MIN_FALL * abs(values[first]):
        return None
    reason = f"The loss falls fastest here, by {-slopes[index]:.2g} per tenfold learning rate."
    return Suggestion("steepest", float(rates[index]), index, reason)


def suggest_lr(points: Sequence[LRPoint], diverge_factor: float = 5.0) -> Suggestion | None:
    """The suggestion for the points of an LR test; None where they do not support one."""
    losses = centred([point.raw for point in points])
    return steepest([point.lr for point in points], losses, diverge_factor)


def centred(raw: Sequence[float]) -> list[float]:
    """The losses of single batches, smoothed without lag, for a rule to look at.

    A running mean shows a fall late. Over 100 steps from 1e-5 to 10 (convnet; SGD, AdamW; CIFAR-10,
    Shapes-10) that of torch-lr-finder, 0.05, moved the steepest point up by 0.3 to 1.5 decades.

    Returns:
        Means weighted by a Gaussian with a deviation of 4 % of the curve.
    """
    places = np.arange(len(raw))
    distances = (places[:, None] - places) / max(0.04 * len(raw), 1.0)
    weights = np.exp(-(distances**2) / 2)
    return (weights @ np.asarray(raw, np.float64) / weights.sum(axis=1)).tolist()


def _count_sound(
    lrs: NDArray[np.float64], losses: NDArray[np.float64], diverge_factor: float
) -> int:
    """How many points come before the first that is not finite, blown up, or not further right."""
    assert lrs.shape == losses.shape
    sound = np.isfinite(losses) & (np.diff(lrs, prepend=0.0) > 0)
    finite = np.where(np.isfinite(losses), losses, np.inf)
    sound &= finite <= diverge_factor * np.minimum.accumulate(finite)
    settling = max(1, len(finite) // SKIPPED_SHARE)
    start = finite[:settling].max(initial=0)
    lowest = np.minimum.accumulate(finite)
    with np.errstate(invalid="ignore"):  # where nothing is finite
        risen = finite - lowest > np.maximum(start - lowest, BLOWN_UP * start)
    sound[settling:] &= ~risen[settling:]
    return len(sound) if sound.all() else int(np.argmin(sound))
