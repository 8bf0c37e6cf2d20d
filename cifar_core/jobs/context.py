"""One job while it is being done: its folder, its status, its records."""

import contextlib
import errno
import os
import signal
import time
from pathlib import Path
from typing import Any

from cifar_core.records.records import Record, to_line
from cifar_core.runs.states import RunState
from cifar_core.system.files import read_json, write_json
from cifar_core.system.process_identity import own_identity

RESERVE = 65_536  # bytes


class JobContext:
    """One job while it is being done: its folder, its status, its records.

    Attributes:
        goes_on: There are records already, of an earlier worker or an earlier run.
        terminated: A SIGTERM came.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.status: dict[str, Any] = {**_carried_over(run_dir), "phase": "queued"}
        self.status["worker"] = own_identity()
        self.metrics = _open_metrics(run_dir / "metrics.jsonl")
        self.is_resuming = os.fstat(self.metrics).st_size > 0
        self.terminated = False
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def begin(self) -> None:
        """The first sign of life; and some space is reserved to record a full disk in."""
        self.update()
        (self.run_dir / ".reserve").write_bytes(bytes(RESERVE))

    def _on_sigterm(self, number: int, frame: object) -> None:
        self.terminated = True

    def should_stop(self) -> bool:
        """Whether somebody asked for the end."""
        return self.terminated or (self.run_dir / "stop").exists()

    def update(self, **values: Any) -> None:
        """Writes the status with these values changed."""
        self.status |= {**values, "updated": time.time()}
        write_json(self.run_dir / "status.json", self.status)

    def record(self, record: Record) -> None:
        """Appends a record, whole, by a single write."""
        line = to_line(record)
        if os.write(self.metrics, line) != len(line):
            raise OSError(errno.ENOSPC, "a record was written in part")

    def end(self, outcome: RunState, reason: str = "", trace: str = "") -> None:
        """The exit record: after it the state never changes."""
        (self.run_dir / ".reserve").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.fsync(self.metrics)
        ended = {"phase": "ended", "outcome": str(outcome), "reason": reason, "ended": time.time()}
        try:
            self.update(**ended, traceback=trace)
        except OSError:
            self.update(**ended, traceback="")  # what is short may still find room


def _carried_over(run_dir: Path) -> dict[str, Any]:
    """What stays true of an earlier worker's status when the job goes on."""
    earlier = read_json(run_dir / "status.json") or {}
    spent = float(earlier.get("ended", earlier.get("updated", 0))) - earlier.get("started", 0)
    facts = ("best", "last", "versions", "runtime", "steps_per_epoch", "data_title", "fingerprint")
    kept = {name: earlier[name] for name in facts if name in earlier}
    return {**kept, "spent": spent if "started" in earlier else 0.0}


def _open_metrics(metrics: Path) -> int:
    """The records, open for appending; what a killed worker left half is closed by a line's end."""
    handle = os.open(metrics, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.write(handle, b"\n")
    return handle
