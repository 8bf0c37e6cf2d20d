"""How far a training is, and how long it will still take."""

import contextlib
import math
import time
from dataclasses import dataclass, field

from cifar_core.records import layout
from cifar_core.records.records import Metrics
from cifar_core.runs.store import TrainingRun

RECENT = 20  # records, of half a second each


@dataclass(frozen=True)
class Pace:
    """How far a run is and how long it will still take.

    Attributes:
        share: Done, 0..1.
        left_s: Seconds left, evaluation included; None before the first figures.
    """

    epoch: int = 0
    share: float = 0.0
    images_per_s: float | None = None
    left_s: float | None = field(default=None)


def pace(
    metrics: Metrics,
    epochs: int,
    steps_per_epoch: int,
    batch_size: int,
    eval_s: float = 0.0,
    since_s: float = 0.0,
    expected: float = 0.0,
) -> Pace:
    """Where a run stands, from its records.

    Args:
        eval_s: Seconds that evaluating will take, as far as is known before it was done once.
        since_s: Seconds since the last record: while an epoch is evaluated there are none.
        expected: Images per second as forecast, 0 if it was not. It stands in for records that are
            not there yet: the first seconds are not like the rest.
    """
    last = metrics.steps[-1] if metrics.steps else None
    step = max(last.step if last else 0, metrics.epochs[-1].step if metrics.epochs else 0)
    total = epochs * steps_per_epoch
    if not total or step == 0:
        return Pace()
    recent = metrics.steps[-RECENT:].column("images_per_s").tolist()
    recent = recent or [metrics.epochs[-1].images_per_s]
    likely = recent + [expected] * (RECENT - len(recent)) if expected else recent
    speed = sum(likely) / len(likely)
    eval_s = metrics.epochs[-1].eval_s if metrics.epochs else eval_s
    left = None
    if speed:
        left = max(total - step, 0) * batch_size / speed + (epochs - len(metrics.epochs)) * eval_s
        left = max(left - since_s, 0.0)
    epoch = math.ceil(step / steps_per_epoch)
    return Pace(epoch, min(step / total, 1.0), sum(recent) / len(recent), left)


def run_pace(run: TrainingRun, metrics: Metrics) -> Pace:
    """How far a training is; nothing yet before its worker has set up."""
    steps, config = run.status.steps_per_epoch, run.config
    if not steps:
        return Pace()
    expected = run.request.forecast
    eval_s, images_per_s = (expected.eval_s, expected.train) if expected else (0.0, 0.0)
    since_s = 0.0
    with contextlib.suppress(OSError):
        since_s = max(time.time() - (run.path / layout.METRICS).stat().st_mtime, 0.0)
    size = config.batch_size
    return pace(metrics, config.epochs, steps, size, eval_s, since_s, images_per_s)
