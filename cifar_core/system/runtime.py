"""Device, precision and memory format: chosen to suit the hardware, each with its reason.

`choose_runtime` is for the process that trains. Pages call `probe`, which detects the hardware in
a subprocess, so that the app holds no CUDA context and does not import torch.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict

from cifar_core.errors import ConfigError
from cifar_core.system.files import read_json, write_json
from cifar_core.system.locks import taking_turns
from cifar_core.system.paths import cache_dir, repository
from cifar_core.validation import STORED

if TYPE_CHECKING:
    import torch


PROBE_S = 120.0


@dataclass(frozen=True)
class Runtime:
    """Where and how a run computes; each choice has a reason to display.

    Attributes:
        device: "cpu", "cuda:0", ...
        precision: "fp32" or "bf16" (autocast).
        memory_format: "contiguous" or "channels_last".
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    device: str
    device_reason: str
    precision: str
    precision_reason: str
    memory_format: str
    memory_format_reason: str

    @property
    def torch_device(self) -> "torch.device":
        """The device as a torch object."""
        import torch

        return torch.device(self.device)

    @property
    def torch_memory_format(self) -> "torch.memory_format":
        """The memory format as a torch object."""
        import torch

        last = self.memory_format == "channels_last"
        return torch.channels_last if last else torch.contiguous_format


@dataclass(frozen=True)
class Hardware:
    """The hardware of this machine as plain values, since pages must not import torch.

    Attributes:
        gpus: Names of the CUDA GPUs.
        capabilities: The compute capability of each, (major, minor).
        bf16: Name of the CPU's bf16 instructions, or empty.
    """

    torch_version: str
    num_threads: int
    gpus: tuple[str, ...]
    capabilities: tuple[tuple[int, int], ...]
    bf16: str

    @property
    def devices(self) -> tuple[str, ...]:
        """The accepted values of the device setting."""
        return ("auto", "cpu", *(f"cuda:{number}" for number in range(len(self.gpus))))

    @property
    def runtime(self) -> Runtime:
        """The runtime of the default settings."""
        return resolve_runtime(self)


def resolve_runtime(
    hardware: Hardware, device: str = "auto", precision: str = "auto", memory_format: str = "auto"
) -> Runtime:
    """Resolves "auto" and checks explicit choices.

    Raises:
        ConfigError: if the device does not exist, or does not support the precision.
    """
    name, why = _resolve_device(hardware, device)
    precision, precision_why = _resolve_precision(hardware, name, precision)
    memory_format, memory_why = _resolve_memory_format(memory_format)
    return Runtime(name, why, precision, precision_why, memory_format, memory_why)


def _resolve_device(hardware: Hardware, device: str) -> tuple[str, str]:
    if device == "auto":
        if not hardware.gpus:
            return "cpu", f"no GPU detected; {hardware.num_threads} threads"
        return "cuda:0", f"{hardware.gpus[0]} detected"
    if device == "cpu":
        return "cpu", "set explicitly"
    number = int(device.partition(":")[2] or 0)
    if number >= len(hardware.gpus):
        raise ConfigError(
            f"device = {device!r} not found: torch sees {len(hardware.gpus)} CUDA GPUs. "
            f"Choose one of {', '.join(hardware.devices)}, or check the driver with nvidia-smi."
        )
    return f"cuda:{number}", "set explicitly"


def _resolve_precision(hardware: Hardware, device: str, precision: str) -> tuple[str, str]:
    fast, why = _bf16_support(hardware, device)
    if precision == "auto":
        return ("bf16", why) if fast else ("fp32", why)
    if precision == "bf16" and not fast:
        # Without the instructions bf16 is 40 to 500 times slower (torch issue 146508).
        raise ConfigError(
            f"precision = 'bf16' is not supported on {device}: {why}. Use fp32 or auto."
        )
    return precision, "set explicitly"


def _bf16_support(hardware: Hardware, device: str) -> tuple[bool, str]:
    if device == "cpu":
        name = hardware.bf16
        return bool(name), f"CPU with {name}" if name else "the CPU has no bf16 instructions"
    major, minor = hardware.capabilities[int(device.partition(":")[2])]
    fast = major >= 8
    return fast, f"compute capability {major}.{minor} {'supports' if fast else 'lacks'} bf16"


def _resolve_memory_format(memory_format: str) -> tuple[str, str]:
    if memory_format != "auto":
        return memory_format, "set explicitly"
    # A training step at batch 128 on two AVX512 cores, contiguous -> channels_last, ms:
    # convnet 81 -> 63 fp32, 59 -> 42 bf16; resnet18 1248 -> 1078 fp32, 621 -> 595 bf16.
    return "channels_last", "measured 4 to 30% faster for every model"


def choose_runtime(
    device: str = "auto", precision: str = "auto", memory_format: str = "auto"
) -> Runtime:
    """`resolve_runtime` for the hardware that this process sees; imports torch.

    Raises:
        ConfigError: as `resolve_runtime`.
    """
    return resolve_runtime(_detect_hardware(), device, precision, memory_format)


def check_compiler(device: str) -> None:
    """Checks for the compiler of torch.compile: g++ on a CPU, a C compiler for CUDA launchers.

    Raises:
        ConfigError: if it is not installed.
    """
    usual = "g++" if device == "cpu" else "gcc"
    compiler = os.environ.get("CXX" if device == "cpu" else "CC", usual)
    if shutil.which(compiler) is None:
        raise ConfigError(
            f"compile = true needs {compiler}, which is not installed. Install it (Debian: "
            "apt-get install g++), or turn compile off."
        )


def cpu_bf16_instructions() -> str:
    """Name of the CPU's bf16 instructions; empty if it has none."""
    import torch

    if torch.cpu._is_amx_tile_supported():
        return "AMX"
    return "AVX512-BF16" if torch.cpu._is_avx512_bf16_supported() else ""


def probe() -> Hardware:
    """Detects the hardware in a subprocess, once for all processes; cached until the next boot."""
    note = _probe_note()
    if noted := _noted(note):
        return noted
    with taking_turns("hardware", PROBE_S):
        return _noted(note) or _probe_now(note)


def _noted(note: Path) -> Hardware | None:
    """What another process has detected; None if there is no note, or not one of ours."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        return _hardware(read_json(note) or {})
    return None


def _probe_now(note: Path) -> Hardware:
    command = [sys.executable, "-m", "cifar_core.system.runtime"]
    answer = subprocess.run(
        command, cwd=repository(), capture_output=True, text=True, check=True, timeout=PROBE_S
    )
    hardware = _hardware(json.loads(answer.stdout.splitlines()[-1]))
    with contextlib.suppress(OSError):  # it is detected again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        write_json(note, asdict(hardware))
    return hardware


def _probe_note() -> Path:
    return cache_dir() / "hardware" / f"{machine_key()}.json"


def machine_key() -> str:
    """Identifies what measurements depend on: torch, boot, visible GPUs and cores."""
    import psutil

    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all").replace("/", "_")
    return f"{version('torch')}-{int(psutil.boot_time())}-{visible}-{os.cpu_count()}"


def _hardware(raw: dict[str, Any]) -> Hardware:
    gpus = tuple(raw.pop("gpus"))
    capabilities = tuple((int(major), int(minor)) for major, minor in raw.pop("capabilities"))
    return Hardware(gpus=gpus, capabilities=capabilities, **raw)


def _detect_hardware() -> Hardware:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    devices = [f"cuda:{number}" for number in range(count)]
    return Hardware(
        torch_version=torch.__version__,
        num_threads=torch.get_num_threads(),
        gpus=tuple(torch.cuda.get_device_name(number) for number in range(count)),
        capabilities=tuple(torch.cuda.get_device_capability(device) for device in devices),
        bf16=cpu_bf16_instructions(),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_detect_hardware())) + "\n")
