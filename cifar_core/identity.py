"""Which process is ours: a pid together with its start time; and locks that die with it."""

import os
from pathlib import Path
from typing import Any

import psutil


def own_identity() -> dict[str, Any]:
    """What a worker writes of itself."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> dict[str, Any]:
    """What names a process, of this one or another; nobody's if it is gone."""
    try:
        return {"pid": pid, "create_time": psutil.Process(pid).create_time()}
    except psutil.Error:
        return {"pid": pid, "create_time": 0.0}


def find_process(identity: dict[str, Any]) -> psutil.Process | None:
    """The live process that wrote this identity; None if it is gone or its pid was reused."""
    try:
        process = psutil.Process(int(identity["pid"]))
        same = abs(process.create_time() - float(identity["create_time"])) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (KeyError, TypeError, ValueError, psutil.Error):
        return None


def is_locked(path: Path) -> bool:
    """Whether a process holds the file lock at `path`.

    Asks for a shared lock, so that two readers asking at once do not see each other.
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
