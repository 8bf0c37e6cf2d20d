"""Rules that read a learning rate off the curve of an LR test; pure, on plain numbers.

A rule takes the learning rates and smoothed losses of a test in their order, and answers with a
`Suggestion`, or with None where the curve does not support one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.lr_finder.curve import LRCurve, curve_of
from cifar_core.lr_finder.noise import fall_by_chance
from cifar_core.records.records import LRPoint

# What fastai's `lr_find` leaves out before it asks any rule: the first tenth, where the loss
# still settles, and the last five points.
SKIPPED_SHARE, SKIPPED_END = 10, 5
MIN_POINTS = 8
# A loss that rises again by as much as it fell, and by this share of the first ones, has blown up,
# even where it is far from five times the lowest: an untrained network's cannot get there. What it
# falls back from there is no learning.
BLOWN_UP = 0.05
MIN_FALL = 0.01  # of the loss; what falls less is as good as flat
SLIDE_GAP, SLIDE_CHANGE = 0.15, 0.005  # of the points; of the loss, from one point to the next


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
    if (part := _usable(lrs, losses, diverge_factor)) is None:
        return None
    slopes = np.gradient(part.losses, np.log10(part.lrs))
    index = part.first + int(np.argmin(slopes[part.first : part.lowest + 1]))
    if slopes[index] >= 0:
        return None
    reason = (
        f"Steepest descent: the loss falls by {-slopes[index]:.2g} per decade of the learning rate."
    )
    return Suggestion("steepest", float(part.lrs[index]), index, reason)


def valley(
    lrs: Sequence[float], losses: Sequence[float], diverge_factor: float = 5.0
) -> Suggestion | None:
    """The middle of the longest fall: half of its points lie before.

    The longest sequence of ever lower losses, not necessarily neighbors, is taken for the fall.

    Args, Returns: as `steepest`.

    Source: `valley` of fastai's callback/schedule.py, its default, credited there to ESRI.
    """
    if (part := _usable(lrs, losses, diverge_factor)) is None:
        return None
    window = part.losses[part.first : part.end]
    lengths = np.ones(len(window), np.int64)
    for i in range(1, len(window)):
        higher = window[:i] > window[i]
        lengths[i] = 1 + lengths[:i][higher].max(initial=0)
    end = int(np.argmax(lengths))
    start, third = end - int(lengths[end]), lengths[end] / 3  # fastai's start lies one before
    index = part.first + max(start + int(third) + int(third / 2), 0)
    reason = f"The middle of the longest fall ({lengths[end]} points)."
    return Suggestion("valley", float(part.lrs[index]), index, reason)


def minimum(
    lrs: Sequence[float], losses: Sequence[float], diverge_factor: float = 5.0
) -> Suggestion | None:
    """A tenth of the learning rate with the lowest loss.

    Args, Returns: as `steepest`.

    Source: `minimum` of fastai's callback/schedule.py.
    """
    if (part := _usable(lrs, losses, diverge_factor)) is None:
        return None
    lr = float(part.lrs[part.lowest])
    reason = f"One tenth of {lr:.2g}, where the loss is lowest."
    index = int(np.argmin(np.abs(np.log(part.lrs) - np.log(lr / 10))))
    return Suggestion("minimum/10", lr / 10, index, reason)


def slide(
    lrs: Sequence[float], losses: Sequence[float], diverge_factor: float = 5.0
) -> Suggestion | None:
    """Down from the right until the slope no longer changes: the largest rate before the rise.

    Args, Returns: as `steepest`; also None where the loss does not rise in the end, or where its
    slope settles nowhere.

    Source: `slide` of fastai's callback/schedule.py, with its 15 points of 100 and its threshold
    of 0.005 a point.
    """
    if (part := _usable(lrs, losses, diverge_factor)) is None:
        return None
    window = part.losses[part.first : part.end]
    slopes, right = np.gradient(window), len(window) - 1
    gap = max(1, round(SLIDE_GAP * len(lrs)))
    left = right - gap
    if left < 0 or slopes[right] <= SLIDE_CHANGE:
        return None
    while left >= 0 and abs(slopes[right] - slopes[left]) > SLIDE_CHANGE:
        right, left = right - 1, left - 1
    if left < 0:  # fastai would take the first point
        return None
    index = part.first + left + int(right < len(window) - 1)  # the last of which it changed
    reason = "The largest learning rate before the loss curve bends upward."
    return Suggestion("slide", float(part.lrs[index]), index, reason)


Rule = Callable[[Sequence[float], Sequence[float], float], Suggestion | None]
RULES: tuple[Rule, ...] = (steepest, valley, minimum, slide)  # the first is what is suggested


def suggest_all(curve: LRCurve, diverge_factor: float = 5.0) -> list[Suggestion]:
    """What each rule that the curve supports suggests; nothing if its fall may be chance."""
    if not _falls(curve, diverge_factor):
        return []
    suggestions = [rule(curve.lrs, curve.losses, diverge_factor) for rule in RULES]
    return [suggestion for suggestion in suggestions if suggestion]


def suggest_lr(points: Sequence[LRPoint], diverge_factor: float = 5.0) -> Suggestion | None:
    """The suggestion for the points of an LR test; None where they do not support one."""
    curve = curve_of(points)
    if not _falls(curve, diverge_factor):
        return None
    return RULES[0](curve.lrs, curve.losses, diverge_factor)


def _falls(curve: LRCurve, diverge_factor: float) -> bool:
    part = _usable(curve.lrs, curve.losses, diverge_factor)
    return part is not None and part.fall > fall_by_chance(curve, part.first, part.lowest, part.end)


def explain_none(curve: LRCurve, diverge_factor: float = 5.0) -> str:
    """Why there is no suggestion, and what to do, in a sentence."""
    part = _usable(curve.lrs, curve.losses, diverge_factor)
    if part is None or _falls(curve, diverge_factor):
        return "No suggestion from this curve. Try another LR range or more steps."
    chance = fall_by_chance(curve, part.first, part.lowest, part.end)
    return (
        f"No suggestion from this curve. The loss falls by {part.fall:.2g}, but the differences "
        f"between batches may explain {chance:.2g}. Try a higher end LR, more steps or seeds, or "
        "larger batches."
    )


def disagreement(suggestions: Sequence[Suggestion]) -> str:
    """How far the rules are apart, in a sentence; empty if there are not two."""
    if len(suggestions) < 2:
        return ""
    rates = [suggestion.lr for suggestion in suggestions]
    factor = max(rates) / min(rates)
    if factor < 3:
        return f"Heuristics agree within {factor:.1f}x."
    span = f"{min(rates):.2g} to {max(rates):.2g}"
    return f"Heuristics differ by {factor:.0f}x: treat {span} as a range."


@dataclass(frozen=True)
class _Part:
    """What rules look at: all sound points, and the window [first, end) of those that count."""

    lrs: NDArray[np.float64]
    losses: NDArray[np.float64]
    first: int
    end: int

    @property
    def lowest(self) -> int:
        return self.first + int(np.argmin(self.losses[self.first : self.end]))

    @property
    def fall(self) -> float:
        return float(self.losses[self.first] - self.losses[self.lowest])


def _usable(lrs: Sequence[float], losses: Sequence[float], diverge_factor: float) -> _Part | None:
    """The part of a curve that rules look at; None if it is too short, flat, or only rises."""
    rates, values = np.asarray(lrs, np.float64), np.asarray(losses, np.float64)
    count = _count_sound(rates, values, diverge_factor)
    part = _Part(rates[:count], values[:count], count // SKIPPED_SHARE, count - SKIPPED_END)
    if part.end - part.first < MIN_POINTS:
        return None
    return part if part.fall >= MIN_FALL * abs(part.losses[part.first]) else None


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
