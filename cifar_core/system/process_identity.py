"""Which process is ours: a pid together with its start time; and locks that die with it."""

import os
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
