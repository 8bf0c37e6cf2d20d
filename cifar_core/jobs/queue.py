"""Whose turn it is on a device: a lock that dies with its holder, and the order of those waiting.

A queued job is a live worker that has not imported torch yet; nobody dispatches.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import Timeout

from cifar_core.errors import RunError
from cifar_core.records import layout
from cifar_core.runs.folders import run_dirs
from cifar_core.runs.states import RunState
from cifar_core.runs.store import LRTestRun, Run, TrainingRun, read_run
from cifar_core.system.locks import device_lock, is_locked


def queue_position(run_dir: Path) -> int:
    """How many jobs of the same device and folder are before this one; 0: it is next."""
    mine = read_run(run_dir)
    count = 0
    for run in active_runs(run_dir.parent):
        earlier = (run.created, run.run_id) < (mine.created, mine.run_id)
        same = _device_of(run) == _device_of(mine)
        count += earlier and same and run.state is RunState.QUEUED
    return count


def active_runs(root: Path) -> Iterator[Run]:
    """The jobs that are queued or running, in no order; those that have ended are not even read."""
    for path in run_dirs(root):
        if (path / layout.STATUS).exists() and not is_locked(path / layout.LOCK):
            continue  # most have ended; to see so much is a hundred times quicker than to read them
        with contextlib.suppress(RunError):
            if (run := read_run(path)).state.is_active:
                yield run


def _device_of(run: Run) -> str:
    """What a job waits for; nothing where it waits for no device."""
    return run.request.device if isinstance(run, TrainingRun | LRTestRun) else ""


@contextlib.contextmanager
def acquire_device(
    run_dir: Path, device: str, should_stop: Callable[[], bool], wait_s: float = 0.5
) -> Iterator[bool]:
    """Waits until the device is free and no earlier job waits; holds it inside the block.

    Yields:
        Whether it was this job's turn; False if it was stopped while it waited.
    """
    lock = device_lock(device)
    while not should_stop():
        if queue_position(run_dir) == 0:
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                break
        time.sleep(wait_s)
    try:
        yield lock.is_locked
    finally:
        lock.release()
