"""The process that does one job: python -m cifar_core.worker RUN_DIR. It alone writes results."""

import contextlib
import errno
import faulthandler
import itertools
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cifar_core.checkpoint import list_checkpoints
from cifar_core.errors import CifarCoreError
from cifar_core.files import read_json, write_json
from cifar_core.identity import own_identity
from cifar_core.jobs import JOBS, NICENESS
from cifar_core.memory import memory_now, note_memory
from cifar_core.processes import lower_priority
from cifar_core.records import Record, to_line
from cifar_core.runs import read_run
from cifar_core.states import RunState

RESERVE = 65_536  # bytes
LOG_LIMIT, LOG_KEEP = 5_000_000, 500_000  # bytes of worker.log
WATCH_S = 0.02  # what prints as fast as it can writes some megabytes in that time


class Worker:
    """One job while it is being done: its folder, its status, its records.

    Attributes:
        goes_on: There are records already, of an earlier worker or an earlier run.
        terminated: A SIGTERM came.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.status: dict[str, Any] = {**_kept(run_dir), "phase": "queued"}
        self.status["worker"] = own_identity()
        self.metrics = _opened(run_dir / "metrics.jsonl")
        self.goes_on = os.fstat(self.metrics).st_size > 0
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


def _kept(run_dir: Path) -> dict[str, Any]:
    """What stays true of an earlier worker's status when the job goes on."""
    earlier = read_json(run_dir / "status.json") or {}
    spent = float(earlier.get("ended", earlier.get("updated", 0))) - earlier.get("started", 0)
    facts = ("best", "last", "versions", "runtime", "steps_per_epoch", "data_title", "fingerprint")
    kept = {name: earlier[name] for name in facts if name in earlier}
    return {**kept, "spent": spent if "started" in earlier else 0.0}


def _opened(metrics: Path) -> int:
    """The records, open for appending; what a killed worker left half is closed by a line's end."""
    handle = os.open(metrics, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.write(handle, b"\n")
    return handle


def main(run_dir: Path) -> int:
    """Does the job in `run_dir`; returns the exit code."""
    lock = FileLock(run_dir / "worker.lock")
    try:
        lock.acquire(timeout=10)
    except Timeout:
        return 0  # another worker does it
    if not read_run(run_dir).state.is_active:
        return 0  # it was done while this process waited for the lock
    faulthandler.enable()
    threading.Thread(target=_watch, args=(run_dir,), daemon=True).start()
    worker = Worker(run_dir)
    try:
        worker.begin()
        request = read_json(run_dir / "request.json") or {}
        lower_priority(NICENESS[request["kind"]])
        outcome = JOBS[request["kind"]](worker, request)
    except CifarCoreError as error:
        return _failed(worker, str(error))
    except MemoryError:
        return _failed(worker, "The machine ran out of memory. Take a smaller batch_size.")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = (
            f"The disk of {run_dir.parent} is full." if full else f"{type(error).__name__}: {error}"
        )
        return _failed(worker, why)
    except Exception as error:  # noqa: BLE001 # the last place where a bug can be told to the user
        return _failed(worker, _sentence(error))
    if worker.terminated and outcome is RunState.STOPPED:
        kept = "; a checkpoint was kept" if list_checkpoints(run_dir) else ""
        worker.end(RunState.FAILED, f"Ended by SIGTERM{kept}.")
        return 1
    worker.end(outcome, "Stopped as asked." if outcome is RunState.STOPPED else "")
    return 0


def _failed(worker: Worker, reason: str) -> int:
    trace = traceback.format_exc()
    sys.stderr.write(trace)
    worker.end(RunState.FAILED, reason, trace)
    return 1


def _sentence(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "The GPU ran out of memory. Take a smaller batch_size or a smaller model."
    return f"{type(error).__name__}: {error}"


def _watch(run_dir: Path) -> None:
    """Keeps the log below its limit, and notes when memory runs low."""
    for number in itertools.count(1):
        time.sleep(WATCH_S)
        with contextlib.suppress(OSError):
            trim_log(run_dir / "worker.log")
        if number % 50 == 0:
            with contextlib.suppress(OSError):
                note_memory(run_dir, memory_now())


def trim_log(path: Path, limit: int = LOG_LIMIT, keep: int = LOG_KEEP) -> None:
    """Drops all but the last `keep` bytes of a log of more than `limit`.

    In place: the worker's output is open in append mode and goes on at the new end.
    """
    if path.stat().st_size <= limit:
        return
    with path.open("r+b") as stream:
        stream.seek(-keep, os.SEEK_END)
        tail = stream.read()
        stream.seek(0)
        stream.truncate()
        stream.write(b"[earlier lines were dropped]\n" + tail)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
