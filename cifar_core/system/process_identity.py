"""Which process is ours: a pid together with its start time, since pids are used again."""

import os
from dataclasses import dataclass
from typing import ClassVar

import psutil
from pydantic import ConfigDict

from cifar_core.validation import STORED, Count, Seconds


@dataclass(frozen=True)
class ProcessIdentity:
    """What names a process.

    Attributes:
        create_time: Unix time of its start, 0 if it was gone when it was asked for.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    pid: Count
    create_time: Seconds


def own_identity() -> ProcessIdentity:
    """That of this process."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> ProcessIdentity:
    """That of this process or another; nobody's if it is gone."""
    try:
        return ProcessIdentity(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return ProcessIdentity(pid, 0.0)


def find_process(identity: ProcessIdentity | None) -> psutil.Process | None:
    """The live process of this identity; None if it is gone or its pid was used again."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.create_time) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, OverflowError, ValueError):  # a pid that no system has
        return None
