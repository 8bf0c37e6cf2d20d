"""Memory available on the system, recorded by workers while it is low; memory of a process."""

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
from pydantic import ConfigDict

from cifar_core.system.json_files import read_typed, write_typed
from cifar_core.validation import STORED, Count, Seconds

LOW = 0.1  # fraction of all memory
_CGROUP = Path("/sys/fs/cgroup")  # version 2, where a container has its own limit


@dataclass(frozen=True)
class Memory:
    """Available and total bytes, of the machine, or of the container if it has less available."""

    left: int
    total: int


def memory_now() -> Memory:
    """Memory of the machine, or of this process's container if it has less available."""
    machine = psutil.virtual_memory()
    memory = Memory(machine.available, machine.total)
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        for line in (_CGROUP / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            used -= int(value) if name == "inactive_file" else 0  # reclaimed when needed
        if limit - used < memory.left:
            memory = Memory(max(limit - used, 0), limit)
    return memory


@dataclass(frozen=True)
class MemoryNote:
    """What was left when there was last little; the note outlives a worker killed for it.

    Attributes:
        time: When, Unix time.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    left: Count
    total: Count
    time: Seconds


def note_memory(path: Path, now: Memory) -> None:
    """Writes a note while there is little left, and removes it when there is enough again."""
    if now.left < LOW * now.total:
        write_typed(path, MemoryNote(now.left, now.total, time.time()))
    else:
        path.unlink(missing_ok=True)


def low_memory(path: Path, since: float) -> Memory | None:
    """What the note says, if it was written after `since` (Unix time).

    Raises:
        RunError: if it is damaged.
    """
    note = read_typed(path, MemoryNote)
    return Memory(note.left, note.total) if note and note.time >= since else None


def peak_memory(device: str) -> int:
    """Peak memory of this process in bytes, on the device it computes on.

    On a GPU the memory allocated by torch; on a CPU the resident size. Loader workers are not
    counted: they are forked and share almost all of it.
    """
    if device != "cpu":
        import torch

        return torch.cuda.max_memory_allocated(device)
    with contextlib.suppress(OSError, StopIteration):  # Linux; getrusage counts whoever started us
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    try:
        import resource
    except ImportError:  # Windows
        return psutil.Process().memory_info().peak_wset  # pyright: ignore[reportAttributeAccessIssue] # there alone
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, else KiB
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident_memory() -> int:
    """Resident memory of this process in bytes."""
    return psutil.Process().memory_info().rss
