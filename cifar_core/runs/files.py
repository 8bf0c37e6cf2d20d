"""The types of the files that every job has: who does it, how it stands, what it is called.

A file that does not fit its type is refused in a sentence (`read_typed`); nothing else reads it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Field,
)

from cifar_core.records import layout
from cifar_core.records.records import EpochRecord
from cifar_core.system.json_files import read_typed
from cifar_core.system.process_identity import ProcessIdentity
from cifar_core.system.runtime import Runtime
from cifar_core.validation import STORED, Count, Seconds, Text

FORMAT = 1
Outcome = Literal["completed", "stopped", "failed"]


@dataclass(frozen=True)
class Start:
    """start.json: when a worker was last asked for, and the process started then.

    Attributes:
        attempt: How often one was asked for; 0 where early versions did not count.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    requested: Seconds
    worker: ProcessIdentity | None = None
    attempt: Count = 0


@dataclass(frozen=True, kw_only=True)
class Status:
    """status.json: what the worker says of itself and of its work.

    Attributes:
        attempt: That of the `Start` it answers; clocks are set, this number only grows.
        updated, started, ended: Unix times.
        spent: Seconds that earlier workers of the same run took.
        elapsed: Those that it has taken until `updated`, theirs included, by a monotonic clock;
            None before it started.
        outcome: How it ended, with the reason in a sentence.
        best, last: Figures of the best and of the newest epoch.
        memory_bytes: The most memory it took at once.
        ending: Why an LR test ended.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal[1] = FORMAT
    phase: Literal["queued", "starting", "running", "ended"] = "queued"
    worker: ProcessIdentity | None = None
    attempt: Count = 0
    updated: Seconds | None = None
    started: Seconds | None = None
    ended: Seconds | None = None
    spent: Seconds = 0.0
    elapsed: Seconds | None = None
    outcome: Outcome | None = None
    reason: Text = ""
    traceback: Text = ""
    runtime: Runtime | None = None
    versions: dict[str, str] = field(default_factory=dict)
    data_title: Text = ""
    fingerprint: Text = ""
    steps_per_epoch: Count = 0
    best: EpochRecord | None = None
    last: EpochRecord | None = None
    memory_bytes: Count = 0
    ending: Text = ""


@dataclass(frozen=True)
class NameNote:
    """name.json: what people call a job."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: Annotated[str, Field(min_length=1, max_length=200)]
    notes: Text = ""


@dataclass(frozen=True)
class StopRequest:
    """stop: when somebody asked for the end, and when the process was ended by force."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    requested: Seconds
    forced: Seconds | None = None


def read_status(run_dir: Path) -> Status | None:
    """What the worker said last; None if it has not yet.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(run_dir / layout.STATUS, Status)


def read_start(run_dir: Path) -> Start | None:
    """When a worker was last asked for; None if the launcher has not said.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(run_dir / layout.START, Start)


def read_name(run_dir: Path) -> NameNote:
    """What a job is called; its id if nobody named it.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(run_dir / layout.NAME, NameNote) or NameNote(run_dir.name)


def read_stop(run_dir: Path) -> StopRequest | None:
    """The request to stop, if there is one.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(run_dir / layout.STOP, StopRequest)
