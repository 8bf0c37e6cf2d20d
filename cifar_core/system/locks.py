"""Locks on folders and devices that the system releases when their holder dies."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cifar_core.errors import RunError
from cifar_core.system.paths import cache_dir

ELSEWHERE = "Choose another folder with --runs or CIFAR_RUNS."


@contextlib.contextmanager
def exclusive(root: Path, what: str) -> Iterator[None]:
    """Lets one process at a time change `what`, such as "names", for the runs in a folder.

    Raises:
        RunError: if the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f".{what}.lock", timeout=60)
        lock.acquire()
    except Timeout:
        raise RunError(f"Another process has locked {root}. Try again in a minute.") from None
    except OSError as error:
        raise RunError(f"{root} cannot be written ({error.strerror}). {ELSEWHERE}") from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def taking_turns(name: str, wait_s: float) -> Iterator[None]:
    """Lets one process after the other do what each of them can do.

    Where the cache cannot be written, or a turn lasts longer than `wait_s`, nobody waits.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, Timeout):
            path = cache_dir() / "locks" / f"{name}.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(path, timeout=wait_s))
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the file lock at `path`.

    Tries a shared lock, so that two processes checking at once do not see each other.
    """
    try:
        import fcntl
    except ImportError:  # Windows: the identity alone decides there
        return False
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def device_lock_path(device: str) -> Path:
    """Path of a device's lock file."""
    return cache_dir() / "locks" / f"{device.replace(':', '-')}.lock"


def device_lock(device: str) -> FileLock:
    """The lock that a process holds while it computes on a device.

    Raises:
        RunError: if the cache cannot be written.
    """
    path = device_lock_path(device)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))  # another user's is not to be had
    except OSError as error:
        raise RunError(
            f"The cache {cache_dir()} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a writable folder."
        ) from None
    return FileLock(path)
