"""Current load of CPU, memory and GPU."""

import contextlib
import importlib
import os
import time
from dataclasses import dataclass
from typing import Any

import psutil

from cifar_core.system.memory import memory_now


@dataclass(frozen=True)
class Load:
    """The load of the machine.

    Attributes:
        cpu: CPU utilization since the previous call, 0..1.
        memory_used, memory_total: Bytes; of the container if it has a limit of its own.
    """

    cpu: float
    memory_used: int
    memory_total: int


def system_load() -> Load:
    """Load of the machine; does not block."""
    memory = memory_now()
    return Load(psutil.cpu_percent() / 100, memory.total - memory.left, memory.total)


class OtherPrograms:
    """How much of the CPUs other programs take, from now on."""

    def __init__(self) -> None:
        self._since = time.monotonic(), _all_cpu_s(), _own_cpu_s()

    def share(self) -> float:
        """Share of all CPUs' time, 0..1; this process and its children are left out.

        Children count once they have ended.
        """
        now, used, own = (time.monotonic(), _all_cpu_s(), _own_cpu_s())
        spent = (now - self._since[0]) * (psutil.cpu_count() or 1)
        others = (used - self._since[1]) - (own - self._since[2])
        return min(max(others / spent, 0.0), 1.0) if spent else 0.0


def _all_cpu_s() -> float:
    """CPU seconds of all programs since the start of the machine; guests are in user already."""
    times = psutil.cpu_times()
    left_out = ("idle", "iowait", "guest", "guest_nice")
    return sum(times) - sum(getattr(times, name, 0.0) for name in left_out)


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True)
class GpuLoad:
    """The load of one GPU.

    Attributes:
        busy: GPU utilization, 0..1.
        memory_used, memory_total: Bytes.
    """

    name: str
    busy: float
    memory_used: int
    memory_total: int


def gpu_load(device: str) -> GpuLoad | None:
    """Load of a GPU; None on a CPU, or without the package nvidia-ml-py and its driver.

    `device` is an index into CUDA_VISIBLE_DEVICES where that lists numbers.
    """
    if not device.startswith("cuda"):
        return None
    with contextlib.suppress(ImportError):
        pynvml = importlib.import_module("pynvml")  # an optional extra
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            return None
        try:
            return _gpu_load(pynvml, _number(device))
        except pynvml.NVMLError:
            return None
        finally:
            pynvml.nvmlShutdown()
    return None


def _gpu_load(nvml: Any, number: int) -> GpuLoad:
    handle = nvml.nvmlDeviceGetHandleByIndex(number)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    return GpuLoad(nvml.nvmlDeviceGetName(handle), busy, memory.used, memory.total)


def _number(device: str) -> int:
    """The driver's number of a GPU for torch's device name."""
    number = int(device.partition(":")[2] or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    entry = visible[number] if number < len(visible) else ""
    return int(entry) if entry.strip().isdigit() else number
