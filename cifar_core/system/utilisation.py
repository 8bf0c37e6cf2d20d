"""What the machine is doing right now, to stand beside a run."""

import contextlib
import importlib
import os
from dataclasses import dataclass
from typing import Any

import psutil

from cifar_core.system.memory import memory_now


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


@dataclass(frozen=True)
class GpuLoad:
    """The load of one GPU.

    Attributes:
        busy: Share of the time in which it computed, 0..1.
        memory_used, memory_total: Bytes.
    """

    name: str
    busy: float
    memory_used: int
    memory_total: int


def gpu_load(device: str) -> GpuLoad | None:
    """How busy a GPU is; None on a CPU, or without the package nvidia-ml-py and its driver.

    Where CUDA_VISIBLE_DEVICES names GPUs by number, `device` counts those.
    """
    if not device.startswith("cuda"):
        return None
    with contextlib.suppress(ImportError):
        pynvml = importlib.import_module("pynvml")  # an extra, which may not be there
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
    """The number of the driver for torch's number of a GPU."""
    number = int(device.partition(":")[2] or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    named = visible[number] if number < len(visible) else ""
    return int(named) if named.strip().isdigit() else number
