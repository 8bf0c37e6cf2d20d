"""The points of an LR test as one curve: smoothed without lag, of several seeds the median."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.records.records import LRPoint


@dataclass(frozen=True)
class LRCurve:
    """The losses of an LR test, smoothed; of several seeds the median.

    Attributes:
        lrs: Of the steps that all finished seeds have done.
        losses: Smoothed; of several seeds the median.
        low, high: The lowest and the highest of the seeds.
        num_seeds: How many they are.
        raw: The losses of the single batches of each seed, also of later steps.
    """

    lrs: list[float]
    losses: list[float]
    low: list[float]
    high: list[float]
    num_seeds: int
    raw: tuple[tuple[float, ...], ...] = ()


def curve_of(points: Sequence[LRPoint], running: bool = False) -> LRCurve:
    """The curve of the points of a test.

    Args:
        running: The last seed is still at work; it only counts while it is the first.
    """
    seeds = [list(group) for _, group in itertools.groupby(points, key=lambda p: p.repeat)]
    finished = seeds[:-1] if running and len(seeds) > 1 else seeds
    count = min(map(len, finished), default=0)
    raw = tuple(tuple(point.raw for point in seed) for seed in finished)
    smooth = [centered(losses)[:count] for losses in raw]
    values = np.array(smooth).reshape(len(finished), count)
    if not count:
        return LRCurve([], [], [], [], len(finished))
    low, middle, high = values.min(axis=0), np.median(values, axis=0), values.max(axis=0)
    lrs = [point.lr for point in finished[0][:count]]
    return LRCurve(lrs, middle.tolist(), low.tolist(), high.tolist(), len(finished), raw)


def centered(raw: Sequence[float]) -> list[float]:
    """The losses of single batches, smoothed without lag, for a rule to look at.

    A running mean shows a fall late. Over 100 steps from 1e-5 to 10 (convnet; SGD, AdamW; CIFAR-10,
    Shapes-10) that of torch-lr-finder, 0.05, moved the steepest point up by 0.3 to 1.5 decades.

    Returns:
        Means weighted by a Gaussian with a deviation of 4 % of the curve.
    """
    return (smoothing_weights(len(raw), range(len(raw))) @ np.asarray(raw, np.float64)).tolist()


def smoothing_weights(count: int, places: Sequence[int]) -> NDArray[np.float64]:
    """(P, count) weights, 1 in sum, of all `count` losses in the smoothed ones at P places."""
    distances = (np.array(places)[:, None] - np.arange(count)) / max(0.04 * count, 1.0)
    weights = np.exp(-(distances**2) / 2)
    return weights / weights.sum(axis=1, keepdims=True)
