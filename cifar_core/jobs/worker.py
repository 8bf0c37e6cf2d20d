"""The process that does one job, and alone writes its results.

python -m cifar_core.jobs.worker RUN_DIR
"""

import contextlib
import errno
import faulthandler
import itertools
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from filelock import FileLock, Timeout

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.errors import CifarCoreError, RunError
from cifar_core.jobs.context import JobContext
from cifar_core.jobs.tasks import JOBS, NICENESS
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.runs.store import read_run
from cifar_core.system.files import open_regular
from cifar_core.system.memory import memory_now, note_memory
from cifar_core.system.processes import lower_priority

LOG_LIMIT, LOG_KEEP = 5_000_000, 500_000  # bytes of worker.log
WATCH_S = 0.02  # what prints as fast as it can writes some megabytes in that time


def main(run_dir: Path) -> int:
    """Does the job in `run_dir`; returns the exit code."""
    if not run_dir.is_dir():
        return 0  # it was deleted before this process began; the lock would make the folder again
    lock = FileLock(run_dir / layout.LOCK)
    try:
        lock.acquire(timeout=10)
    except Timeout:
        return 0  # another worker does it
    run = read_run(run_dir)
    if not run.state.is_active:
        return 0  # it was done while this process waited for the lock
    faulthandler.enable()
    threading.Thread(target=_watch, args=(run_dir,), daemon=True).start()
    worker = JobContext(run_dir)
    try:
        worker.begin()
        lower_priority(NICENESS[run.kind])
        outcome = JOBS[run.kind](worker, run.request)
    except CifarCoreError as error:
        return _failed(worker, str(error))
    except MemoryError:
        return _failed(worker, "The machine ran out of memory. Choose a smaller batch_size.")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = (
            f"The disk of {run_dir.parent} is full." if full else f"{type(error).__name__}: {error}"
        )
        return _failed(worker, why)
    except Exception as error:  # noqa: BLE001 # the last place where a bug can be told to the user
        return _failed(worker, _sentence(error))
    if worker.terminated and outcome is RunState.STOPPED:
        kept = "; a checkpoint was saved" if list_checkpoints(run_dir) else ""
        worker.end(RunState.FAILED, f"Terminated by SIGTERM{kept}.")
        return 1
    worker.end(outcome, "Stopped by user." if outcome is RunState.STOPPED else "")
    return 0


def _failed(worker: JobContext, reason: str) -> int:
    trace = traceback.format_exc()
    sys.stderr.write(trace)
    worker.end(RunState.FAILED, reason, trace)
    return 1


def _sentence(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "GPU out of memory. Choose a smaller batch_size or model."
    return f"{type(error).__name__}: {error}"


def _watch(run_dir: Path) -> None:
    """Keeps the log below its limit, and notes when memory runs low."""
    for number in itertools.count(1):
        time.sleep(WATCH_S)
        with contextlib.suppress(OSError, RunError):
            trim_log(run_dir / layout.LOG)
        if number % 50 == 0:
            with contextlib.suppress(OSError):
                note_memory(run_dir / layout.MEMORY, memory_now())


def trim_log(path: Path, limit: int = LOG_LIMIT, keep: int = LOG_KEEP) -> None:
    """Drops all but the last `keep` bytes of a log of more than `limit`.

    In place: the worker's output is open in append mode and goes on at the new end.
    """
    if path.stat().st_size <= limit:
        return
    with os.fdopen(open_regular(path, os.O_RDWR), "r+b") as stream:
        stream.seek(-keep, os.SEEK_END)
        tail = stream.read()
        stream.seek(0)
        stream.truncate()
        stream.write(b"[earlier lines were dropped]\n" + tail)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
