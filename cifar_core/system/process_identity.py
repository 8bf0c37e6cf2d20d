"""Identifies a process by its pid and start time, since pids are reused."""

import os
from typing import Any

import psutil


def own_identity() -> dict[str, Any]:
    """The identity of this process."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> dict[str, Any]:
    """The identity of a process; with create_time 0 if it is gone, which matches none."""
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
