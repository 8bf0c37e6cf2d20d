"""Whose turn it is on a device: a lock that dies with its holder, and the order of those waiting.

A queued job is a live worker that has not imported torch yet; nobody dispatches.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cifar_core.errors import RunError
from cifar_core.identity import is_locked
from cifar_core.places import cache_dir
from cifar_core.runs import read_run, run_dirs
from cifar_core.states import RunState


def queue_position(run_dir: Path) -> int:
    """How many jobs of the same device and folder are before this one; 0: it is next."""
    mine = read_run(run_dir)
    count = 0
    for path in run_dirs(run_dir.parent):
        if (path / "status.json").exists() and not is_locked(path / "worker.lock"):
            continue  # most have ended; to see so much is a hundred times quicker than to read them
        with contextlib.suppress(RunError):
            run = read_run(path)
            earlier = (run.created, run.run_id) < (mine.created, mine.run_id)
            same = run.request.get("device") == mine.request.get("device")
            count += earlier and same and run.state is RunState.QUEUED
    return count


def _lock_path(device: str) -> Path:
    return cache_dir() / "locks" / f"{device.replace(':', '-')}.lock"


def device_lock(device: str) -> FileLock:
    """The lock that whoever computes on a device holds.

    Raises:
        RunError: if the cache cannot be written.
    """
    path = _lock_path(device)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"The cache {cache_dir()} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a folder that can."
        ) from None
    return FileLock(path)


@contextlib.contextmanager
def leaving_room() -> Iterator[None]:
    """Inside, torch takes half its threads if another process holds the turn on the CPU.

    Two processes with a thread on each core wait for one another at every barrier: on two cores
    two trainings kept 2 % of their speed each; two threads beside one kept 70 % of both. The
    number belongs to the process, so that only one of its threads may be inside.
    """
    import torch

    every = torch.get_num_threads()
    torch.set_num_threads(max(1, every // 2) if is_locked(_lock_path("cpu")) else every)
    try:
        yield
    finally:
        torch.set_num_threads(every)


@contextlib.contextmanager
def turn_on_device(
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
