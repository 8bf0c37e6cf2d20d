"""One job while it is being done: its folder, its status, its records."""

import contextlib
import errno
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from cifar_core.records import layout
from cifar_core.records.records import Record, to_line
from cifar_core.runs.files import Status, read_start, read_status
from cifar_core.runs.states import RunState
from cifar_core.system.files import open_regular
from cifar_core.system.json_files import write_typed
from cifar_core.system.process_identity import own_identity

RESERVE = 65_536  # bytes


class JobContext:
    """One job while it is being done: its folder, its status, its records.

    Attributes:
        is_resuming: There are records already, of an earlier worker or an earlier run.
        terminated: A SIGTERM came.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        start = read_start(run_dir)
        self.status = replace(
            _carried_over(run_dir), worker=own_identity(), attempt=start.attempt if start else 0
        )
        self._started: float | None = None
        self.metrics = _open_metrics(run_dir / layout.METRICS)
        self.is_resuming = os.fstat(self.metrics).st_size > 0
        self.terminated = False
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def begin(self) -> None:
        """The first sign of life; and some space is reserved to record a full disk in."""
        self.update()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(open_regular(self.run_dir / layout.RESERVE, flags), "wb") as stream:
            stream.write(bytes(RESERVE))

    def _on_sigterm(self, number: int, frame: object) -> None:
        self.terminated = True

    def should_stop(self) -> bool:
        """Whether somebody asked for the end."""
        return self.terminated or (self.run_dir / layout.STOP).exists()

    def start(self, phase: Literal["starting", "running"] = "running") -> None:
        """The work itself begins: from here on it takes time."""
        self._started = time.monotonic()
        self.update(phase=phase, started=time.time())

    @property
    def elapsed_s(self) -> float | None:
        """Seconds of work, those of earlier workers included; None before it started."""
        if self._started is None:
            return None
        return self.status.spent + time.monotonic() - self._started

    def update(self, **values: Any) -> None:
        """Writes the status with these values changed."""
        changed = {**values, "updated": time.time(), "elapsed": self.elapsed_s}
        self.status = replace(self.status, **changed)
        write_typed(self.run_dir / layout.STATUS, self.status)

    def record(self, record: Record) -> None:
        """Appends a record, whole, by a single write."""
        line = to_line(record)
        if os.write(self.metrics, line) != len(line):
            raise OSError(errno.ENOSPC, "a record was written in part")

    def end(self, outcome: RunState, reason: str = "", trace: str = "") -> None:
        """The exit record: after it the state never changes."""
        (self.run_dir / layout.RESERVE).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.fsync(self.metrics)
        ended = {"phase": "ended", "outcome": str(outcome), "reason": reason, "ended": time.time()}
        try:
            self.update(**ended, traceback=trace)
        except OSError:
            self.update(**ended, traceback="")  # what is short may still find room


def _carried_over(run_dir: Path) -> Status:
    """What stays true of an earlier worker's status when the job is resumed."""
    earlier = read_status(run_dir) or Status()
    spent = earlier.spent if earlier.elapsed is None else earlier.elapsed
    if earlier.elapsed is None and earlier.started is not None:  # as early versions kept it
        last_sign = earlier.ended if earlier.ended is not None else earlier.updated
        spent = max((last_sign or 0.0) - earlier.started, 0.0)
    return Status(
        spent=spent,
        best=earlier.best,
        last=earlier.last,
        versions=earlier.versions,
        runtime=earlier.runtime,
        steps_per_epoch=earlier.steps_per_epoch,
        data_title=earlier.data_title,
        fingerprint=earlier.fingerprint,
    )


def _open_metrics(metrics: Path) -> int:
    """The records, open for appending; what a killed worker left half is closed by a line's end."""
    handle = open_regular(metrics, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.write(handle, b"\n")
    return handle
