"""What the machine is doing right now, to stand beside a run."""

from dataclasses import dataclass

import psutil

from cifar_core.memory import memory_now


@dataclass(frozen=True)
class Load:
    """The load of the machine.

    Attributes:
        cpu: Share of all cores that was busy since it was last asked for, 0..1.
        memory_used, memory_total: Bytes; of the container if it has a limit of its own.
    """

    cpu: float
    memory_used: int
    memory_total: int


def system_load() -> Load:
    """How busy the machine is; asks the system, waits for nothing."""
    memory = memory_now()
    return Load(psutil.cpu_percent() / 100, memory.total - memory.left, memory.total)
