"""What the engine yields and `metrics.jsonl` holds, one line per record."""

import json
import math
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from cifar_core.records.steps import NAMES, StepRecord, Steps
from cifar_core.system.files import open_regular
from cifar_core.system.json_files import parse_typed
from cifar_core.validation import STORED


@dataclass(frozen=True)
class EpochRecord:
    """An epoch's end: running averages of training, exact figures of validation and test.

    Attributes:
        train_s: Seconds spent training in this epoch; `eval_s` evaluating.
        val_loss, val_acc: None when nothing is held out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

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
        raw: That of this step's batch alone; `repeat` tells several seeds apart, from 0.
    """

    kind: ClassVar[str] = "lr"
    step: int
    lr: float
    loss: float
    raw: float
    repeat: int = 0


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
_KINDS = (EpochRecord, StageRecord, LRPoint, ResumeRecord)
_STORED: dict[str, type[Any]] = {kind.kind: kind for kind in _KINDS}


@dataclass(frozen=True)
class Metrics:
    """All complete records of a run, and how far the file was read.

    Attributes:
        offset: Bytes read; the next call goes on from there.
        damaged: Lines in the middle that could not be read.
    """

    steps: Steps = field(default_factory=Steps)
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
        with os.fdopen(open_regular(path), "rb") as stream:
            stream.seek(known.offset)
            text = stream.read()
    except FileNotFoundError:
        return Metrics()
    whole = text[: text.rfind(b"\n") + 1]
    if not whole:
        return known
    gathered = _MetricsReader(known)
    for line in whole.splitlines():
        gathered.add(line)
    return gathered.metrics(known.offset + len(whole))


class _MetricsReader:
    """What a file holds, line by line; a resume takes back what came after its step."""

    def __init__(self, known: Metrics) -> None:
        self.steps, self.rows = known.steps, list[list[float]]()
        self._records: dict[str, list[Any]] = {
            "epoch": list(known.epochs),
            "stage": list(known.stages),
            "lr": list(known.points),
            "resume": list(known.resumes),
        }
        self.damaged = known.damaged

    def add(self, line: bytes) -> None:
        """Takes one line; a damaged one is counted."""
        try:
            raw = json.loads(line)
            kind = raw.pop("kind")
            if kind == "step":
                self.rows.append(_row(raw))
                return
            names = {f.name for f in fields(_STORED[kind])}
            values = {name: value for name, value in raw.items() if name in names}
            record = parse_typed(json.dumps(values).encode(), _STORED[kind])
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            self.damaged += 1
            return
        if isinstance(record, ResumeRecord):
            self.steps, self.rows = self.steps.extended(self.rows).until(record.step), []
            self._records["epoch"] = [e for e in self._records["epoch"] if e.step <= record.step]
        self._records[kind].append(record)

    def metrics(self, offset: int) -> Metrics:
        """All of it, read so far."""
        return Metrics(
            steps=self.steps.extended(self.rows),
            epochs=tuple(self._records["epoch"]),
            stages=tuple(self._records["stage"]),
            points=tuple(self._records["lr"]),
            resumes=tuple(self._records["resume"]),
            offset=offset,
            damaged=self.damaged,
        )


def _row(raw: dict[str, Any]) -> list[float]:
    """The fields of a step in their order.

    Raises:
        KeyError, TypeError, ValueError: if one is missing, or no number.
    """
    raw.setdefault("elapsed_s", 0.0)  # records of before it was written lack it
    row = [0.0 + raw[name] for name in NAMES]
    if not all(map(math.isfinite, row)):
        raise ValueError(f"{row} has a value that is no number")
    return row
