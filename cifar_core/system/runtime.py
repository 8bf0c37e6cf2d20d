"""Device, precision and memory format: chosen by what the hardware has, each with its reason.

`choose_runtime` is for the process that trains. Pages ask `probe`, which looks in a process of
its own, so that the app holds no CUDA context and waits for no import.
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
from cifar_core.system.files import write_json
from cifar_core.system.paths import cache_dir, repository
from cifar_core.validation import STORED

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Runtime:
    """Where and how a run computes; each choice carries its reason, for the screen.

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
        """The device as torch has it."""
        import torch

        return torch.device(self.device)

    @property
    def torch_memory_format(self) -> "torch.memory_format":
        """The memory format as torch has it."""
        import torch

        last = self.memory_format == "channels_last"
        return torch.channels_last if last else torch.contiguous_format


@dataclass(frozen=True)
class Hardware:
    """What this machine has, as plain values: pages must not import torch.

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
        """What a form may offer."""
        return ("auto", "cpu", *(f"cuda:{number}" for number in range(len(self.gpus))))

    @property
    def runtime(self) -> Runtime:
        """What is taken where nothing is asked for."""
        return resolve_runtime(self)


def resolve_runtime(
    hardware: Hardware, device: str = "auto", precision: str = "auto", memory_format: str = "auto"
) -> Runtime:
    """Fills in what is "auto" and checks what is not.

    Raises:
        ConfigError: if the device is not there, or the precision would be ruinous on it.
    """
    name, why = _resolve_device(hardware, device)
    precision, precision_why = _resolve_precision(hardware, name, precision)
    memory_format, memory_why = _resolve_memory_format(memory_format)
    return Runtime(name, why, precision, precision_why, memory_format, memory_why)


def _resolve_device(hardware: Hardware, device: str) -> tuple[str, str]:
    if device == "auto":
        if not hardware.gpus:
            return "cpu", f"no CUDA GPU is usable; {hardware.num_threads} threads"
        return "cuda:0", f"{hardware.gpus[0]} is there"
    if device == "cpu":
        return "cpu", "asked for"
    number = int(device.partition(":")[2] or 0)
    if number >= len(hardware.gpus):
        raise ConfigError(
            f"device = {device!r} is not here: torch sees {len(hardware.gpus)} CUDA GPUs. "
            f"Take one of {', '.join(hardware.devices)}, or check the driver with nvidia-smi."
        )
    return f"cuda:{number}", "asked for"


def _resolve_precision(hardware: Hardware, device: str, precision: str) -> tuple[str, str]:
    fast, why = _bf16_support(hardware, device)
    if precision == "auto":
        return ("bf16", why) if fast else ("fp32", why)
    if precision == "bf16" and not fast:
        # Without the instructions bf16 is 40 to 500 times slower (torch issue 146508).
        raise ConfigError(f"precision = 'bf16' does not suit {device}: {why}. Take fp32 or auto.")
    return precision, "asked for"


def _bf16_support(hardware: Hardware, device: str) -> tuple[bool, str]:
    if device == "cpu":
        found = hardware.bf16
        return bool(found), f"the CPU has {found}" if found else "the CPU has no bf16 instructions"
    major, minor = hardware.capabilities[int(device.partition(":")[2])]
    return major >= 8, f"compute capability {major}.{minor} {'has' if major >= 8 else 'lacks'} bf16"


def _resolve_memory_format(memory_format: str) -> tuple[str, str]:
    if memory_format != "auto":
        return memory_format, "asked for"
    # A training step at batch 128 on two AVX512 cores, contiguous -> channels_last, ms:
    # convnet 81 -> 63 fp32, 59 -> 42 bf16; resnet18 1248 -> 1078 fp32, 621 -> 595 bf16.
    return "channels_last", "measured: faster for every model here, 4 to 30 %"


def choose_runtime(
    device: str = "auto", precision: str = "auto", memory_format: str = "auto"
) -> Runtime:
    """`decide` for the hardware that this process sees; imports torch.

    Raises:
        ConfigError: as `decide`.
    """
    return resolve_runtime(_detect_hardware(), device, precision, memory_format)


def check_compiler(device: str) -> None:
    """What torch.compile calls: g++ for a CPU, a C compiler for what launches CUDA kernels.

    Raises:
        ConfigError: if it is not installed.
    """
    usual = "g++" if device == "cpu" else "gcc"
    compiler = os.environ.get("CXX" if device == "cpu" else "CC", usual)
    if shutil.which(compiler) is None:
        raise ConfigError(
            f"compile = true needs {compiler}, which is not installed. Install it (Debian: "
            "apt-get install g++), or leave compile off."
        )


def cpu_bf16_instructions() -> str:
    """The name of the CPU's bf16 instructions, or an empty text."""
    import torch

    if torch.cpu._is_amx_tile_supported():
        return "AMX"
    return "AVX512-BF16" if torch.cpu._is_avx512_bf16_supported() else ""


def probe() -> Hardware:
    """Looks at the hardware in a process of its own and remembers it until the next boot."""
    note = _probe_note()
    if note.is_file():
        try:
            return _hardware(json.loads(note.read_text(encoding="utf-8")))
        except (ValueError, TypeError, KeyError, AttributeError):
            note.unlink(missing_ok=True)
    output = subprocess.run(
        [sys.executable, "-m", "cifar_core.system.runtime"],
        cwd=repository(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    found = _hardware(json.loads(output.splitlines()[-1]))
    with contextlib.suppress(OSError):  # then it looks again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        write_json(note, asdict(found))
    return found


def _probe_note() -> Path:
    return cache_dir() / "hardware" / f"{machine_key()}.json"


def machine_key() -> str:
    """Names what measurements depend on: torch, cores, visible GPUs, and the boot."""
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
