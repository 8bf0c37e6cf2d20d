"""Which process is ours: a pid together with its start time, since pids are used again."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
from pydantic import ConfigDict

from cifar_core.validation import STORED, Count, Seconds, Text

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; proc(5)
TICK_S = 0.02  # start times have a resolution of 0.01 s


@dataclass(frozen=True)
class ProcessIdentity:
    """What names a process.

    Attributes:
        create_time: Unix time of its start, 0 if it was gone when it was asked for.
        boot: Which start of the machine it belongs to; empty where the system does not say.
        since_boot: Seconds from then to its start; unlike `create_time` the same whenever the clock
            is set.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    pid: Count
    create_time: Seconds
    boot: Text = ""
    since_boot: Seconds = 0.0


def own_identity() -> ProcessIdentity:
    """That of this process."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> ProcessIdentity:
    """That of this process or another; nobody's if it is gone."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        return ProcessIdentity(pid, 0.0)
    return ProcessIdentity(pid, created, _boot(), max(created - psutil.boot_time(), 0.0))


def find_process(identity: ProcessIdentity | None) -> psutil.Process | None:
    """The live process of this identity; None if it is gone or its pid was used again."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        same = _is_same(identity, process.create_time())
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, OverflowError, ValueError):  # a pid that no system has
        return None


def _is_same(identity: ProcessIdentity, created: float) -> bool:
    if abs(created - identity.create_time) < 1:
        return True
    since_boot = created - psutil.boot_time()  # both move when the clock is set
    same_boot = bool(identity.boot) and identity.boot == _boot()
    return same_boot and abs(since_boot - identity.since_boot) < TICK_S


def is_of_earlier_boot(identity: ProcessIdentity) -> bool:
    """Whether the machine was restarted since the process started."""
    if identity.boot:
        return identity.boot != _boot()
    return psutil.boot_time() > identity.create_time > 0


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
