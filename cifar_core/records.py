"""What the engine yields and `metrics.jsonl` holds, one line per record."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True)
class StepRecord:
    """Training since the record before, at most every half second.

    Attributes:
        epoch: The epoch under way, from 1.
        step: Optimizer steps done in the whole run.
        loss: Mean cross-entropy since the record before.
        images_per_s: Training speed since then.
        elapsed_s: Seconds since the run began, those between a stop and a resume left out.
    """

    kind: ClassVar[str] = "step"
    epoch: int
    step: int
    loss: float
    acc: float
    lr: float
    images_per_s: float
    elapsed_s: float = 0.0


@dataclass(frozen=True)
class EpochRecord:
    """An epoch's end: running averages of training, exact figures of validation and test.

    Attributes:
        train_s: Seconds spent training in this epoch; `eval_s` evaluating.
        val_loss, val_acc: None when nothing is held out.
    """

    kind: ClassVar[str] = "epoch"
    epoch: int
    step: int
    train_loss: float
    train_acc: float
    val_loss: float | None
    val_acc: float | None
    test_loss: float
    test_acc: float
    lr: float
    images_per_s: float = 0.0
    train_s: float = 0.0
    eval_s: float = 0.0
    elapsed_s: float = 0.0


@dataclass(frozen=True)
class EvalProgress:
    """Evaluation under way; shown, never stored."""

    kind: ClassVar[str] = "eval"
    split: str
    done: int
    total: int


@dataclass(frozen=True)
class StageRecord:
    """Progress of a job that does not train, such as a download."""

    kind: ClassVar[str] = "stage"
    stage: str
    done: int
    total: int | None
    unit: str


@dataclass(frozen=True)
class LRPoint:
    """One finished step of an LR test.

    Attributes:
        step: From 1.
        lr: The learning rate of this step.
        loss: Smoothed mean cross-entropy of the batches so far, before this step's update.
        raw: That of this step's batch alone.
    """

    kind: ClassVar[str] = "lr"
    step: int
    lr: float
    loss: float
    raw: float


@dataclass(frozen=True)
class ResumeRecord:
    """A run went on from a checkpoint; what was recorded after its step does not count.

    Attributes:
        note: Why it may differ from a run that was never interrupted; empty if it may not.
    """

    kind: ClassVar[str] = "resume"
    epoch: int
    step: int
    note: str = ""


Record = StepRecord | EpochRecord | EvalProgress | StageRecord | LRPoint | ResumeRecord
_KINDS = (StepRecord, EpochRecord, StageRecord, LRPoint, ResumeRecord)
_STORED: dict[str, type[Any]] = {kind.kind: kind for kind in _KINDS}


@dataclass(frozen=True)
class Metrics:
    """All complete records of a run, and how far the file was read.

    Attributes:
        offset: Bytes read; the next call goes on from there.
        damaged: Lines in the middle that could not be read.
    """

    steps: tuple[StepRecord, ...] = ()
    epochs: tuple[EpochRecord, ...] = ()
    stages: tuple[StageRecord, ...] = ()
    points: tuple[LRPoint, ...] = ()
    resumes: tuple[ResumeRecord, ...] = ()
    offset: int = 0
    damaged: int = 0

    @property
    def best(self) -> EpochRecord | None:
        """The epoch of highest validation accuracy, the earliest on ties."""
        judged = [e for e in self.epochs if e.val_acc is not None]
        return max(judged, key=lambda e: (e.val_acc, -e.epoch), default=None)


def to_line(record: Record) -> bytes:
    """One line of `metrics.jsonl`."""
    return (json.dumps({"kind": record.kind, **asdict(record)}) + "\n").encode()


def read_metrics(path: Path, known: Metrics | None = None) -> Metrics:
    """Reads the records of a run, only those that came since `known`.

    An unfinished last line is left for the next time; a damaged one in the middle is counted.
    """
    known = known or Metrics()
    try:
        with path.open("rb") as stream:
            stream.seek(known.offset)
            text = stream.read()
    except FileNotFoundError:
        return Metrics()
    whole = text[: text.rfind(b"\n") + 1]
    found: dict[str, list[Any]] = {
        "step": list(known.steps),
        "epoch": list(known.epochs),
        "stage": list(known.stages),
        "lr": list(known.points),
        "resume": list(known.resumes),
    }
    damaged = 0
    for line in whole.splitlines():
        record = _from_line(line)
        if record is None:
            damaged += 1
            continue
        if isinstance(record, ResumeRecord):
            for kind in ("step", "epoch"):
                found[kind] = [r for r in found[kind] if r.step <= record.step]
        found[record.kind].append(record)
    return Metrics(
        steps=tuple(found["step"]),
        epochs=tuple(found["epoch"]),
        stages=tuple(found["stage"]),
        points=tuple(found["lr"]),
        resumes=tuple(found["resume"]),
        offset=known.offset + len(whole),
        damaged=known.damaged + damaged,
    )


def _from_line(line: bytes) -> Any:
    try:
        raw = json.loads(line)
        kind = _STORED[raw.pop("kind")]
        names = {f.name for f in fields(kind)}
        return kind(**{name: value for name, value in raw.items() if name in names})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


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
) -> Pace:
    """Where a run stands, from its records.

    Args:
        eval_s: Seconds that evaluating will take, as far as is known before it was done once.
        since_s: Seconds since the last record: while an epoch is evaluated there are none.
    """
    last = metrics.steps[-1] if metrics.steps else None
    step = max(last.step if last else 0, metrics.epochs[-1].step if metrics.epochs else 0)
    total = epochs * steps_per_epoch
    if not total or step == 0:
        return Pace()
    recent = [s.images_per_s for s in metrics.steps[-20:]] or [metrics.epochs[-1].images_per_s]
    speed = sum(recent) / len(recent)
    eval_s = metrics.epochs[-1].eval_s if metrics.epochs else eval_s
    left = None
    if speed:
        left = (total - step) * batch_size / speed + (epochs - len(metrics.epochs)) * eval_s
        left = max(left - since_s, 0.0)
    epoch = math.ceil(step / steps_per_epoch)
    return Pace(epoch, step / total, speed, left)
