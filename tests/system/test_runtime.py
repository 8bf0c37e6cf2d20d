"""Hardware: what is chosen and why, what is refused, what is remembered."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cifar_core.errors import ConfigError
from cifar_core.system import runtime
from cifar_core.system.locks import device_lock
from cifar_core.system.paths import repository
from cifar_core.system.runtime import Hardware, Runtime, choose_runtime, probe, resolve_runtime

BARE = Hardware("2.0", 2, (), (), "")
FAST_CPU = replace(BARE, bf16="AMX")
TWO_GPUS = replace(BARE, gpus=("A", "B"), capabilities=((9, 0), (7, 5)))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if torch saw no GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if torch saw two GPUs, the second one too old for bf16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {number}")
    monkeypatch.setattr(
        torch.cuda,
        "get_device_capability",
        lambda device: (9, 0) if device == "cuda:0" else (7, 5),
    )


def with_bf16(monkeypatch: pytest.MonkeyPatch, instructions: str) -> None:
    monkeypatch.setattr(runtime, "cpu_bf16_instructions", lambda: instructions)


def reasons(chosen: Runtime) -> list[str]:
    return [chosen.device_reason, chosen.precision_reason, chosen.memory_format_reason]


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("instructions", "precision"), [("", "fp32"), ("AMX", "bf16")])
def test_auto_on_a_cpu_takes_what_it_has(
    monkeypatch: pytest.MonkeyPatch, instructions: str, precision: str
) -> None:
    with_bf16(monkeypatch, instructions)
    chosen = choose_runtime()
    assert (chosen.device, chosen.precision) == ("cpu", precision)
    assert chosen.memory_format == "channels_last"
    assert chosen.torch_device == torch.device("cpu")
    assert chosen.torch_memory_format is torch.channels_last
    assert all(reasons(chosen))
    assert (instructions or "no bf16") in chosen.precision_reason
    assert str(torch.get_num_threads()) in chosen.device_reason


def test_auto_here_is_usable() -> None:
    chosen = choose_runtime()
    assert chosen.device == "cpu" or chosen.device.startswith("cuda:")
    assert torch.zeros(1, device=chosen.torch_device).sum() == 0
    assert all(reasons(chosen))


def test_what_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bf16(monkeypatch, "AVX512-BF16")
    for precision in ("fp32", "bf16"):
        for memory_format in ("contiguous", "channels_last"):
            chosen = choose_runtime("cpu", precision, memory_format)
            found = (chosen.device, chosen.precision, chosen.memory_format)
            assert found == ("cpu", precision, memory_format)
            assert reasons(chosen) == ["set explicitly"] * 3
    assert (
        choose_runtime("cpu", "fp32", "contiguous").torch_memory_format is torch.contiguous_format
    )


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3"])
def test_a_gpu_that_is_not_here_is_refused(device: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_runtime(device)
    assert repr(device) in str(caught.value)
    assert "auto, cpu" in str(caught.value)


def test_bf16_on_a_cpu_without_its_instructions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bf16(monkeypatch, "")
    with pytest.raises(ConfigError) as caught:
        choose_runtime("cpu", "bf16")
    assert "'bf16'" in str(caught.value)
    assert "fp32 or auto" in str(caught.value)


@pytest.mark.usefixtures("two_gpus")
def test_gpus_are_taken_by_number_and_judged_by_their_capability() -> None:
    chosen = choose_runtime()
    assert (chosen.device, chosen.precision) == ("cuda:0", "bf16")
    assert "GPU 0" in chosen.device_reason
    assert choose_runtime("cuda").device == "cuda:0"
    assert choose_runtime("cpu").device == "cpu"
    old = choose_runtime("cuda:1")
    assert (old.device, old.precision) == ("cuda:1", "fp32")
    assert "7.5" in old.precision_reason
    with pytest.raises(ConfigError, match=r"bf16.*cuda:1.*7\.5"):
        choose_runtime("cuda:1", "bf16")
    with pytest.raises(ConfigError, match="'cuda:2' not found: torch sees 2"):
        choose_runtime("cuda:2")


@pytest.mark.parametrize(
    ("hardware", "device", "expected"),
    [
        (BARE, "auto", "cpu"),
        (BARE, "cpu", "cpu"),
        (TWO_GPUS, "auto", "cuda:0"),
        (TWO_GPUS, "cpu", "cpu"),
        (TWO_GPUS, "cuda", "cuda:0"),
        (TWO_GPUS, "cuda:0", "cuda:0"),
        (TWO_GPUS, "cuda:1", "cuda:1"),
    ],
)
def test_hardware_that_is_here_is_named(hardware: Hardware, device: str, expected: str) -> None:
    assert resolve_runtime(hardware, device).device == expected


@pytest.mark.parametrize(
    ("hardware", "device"), [(BARE, "cuda"), (BARE, "cuda:0"), (TWO_GPUS, "cuda:2")]
)
def test_hardware_that_is_not_here_is_refused_with_what_is(hardware: Hardware, device: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_runtime(hardware, device)
    assert repr(device) in str(caught.value)
    assert all(name in str(caught.value) for name in hardware.devices)


def test_bf16_is_checked_before_a_job_starts() -> None:
    for device in ("auto", "cpu"):
        assert resolve_runtime(FAST_CPU, device, "bf16").device == "cpu"
        with pytest.raises(ConfigError, match="'bf16'"):
            resolve_runtime(BARE, device, "bf16")
    assert resolve_runtime(TWO_GPUS, precision="bf16").device == "cuda:0"
    with pytest.raises(ConfigError, match=r"cuda:1.*7\.5 lacks bf16"):
        resolve_runtime(TWO_GPUS, "cuda:1", "bf16")


def test_a_form_offers_what_is_here() -> None:
    assert BARE.devices == ("auto", "cpu")
    assert TWO_GPUS.devices == ("auto", "cpu", "cuda:0", "cuda:1")


def notes_of(cache: Path) -> list[Path]:
    return list((cache / "hardware").glob("*"))


def test_a_probe_looks_once_and_remembers(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = probe()
    assert found.torch_version == torch.__version__
    assert found.num_threads >= 1
    assert found.runtime == choose_runtime()
    assert found.bf16 == runtime.cpu_bf16_instructions()
    (note,) = notes_of(own_cache)
    assert json.loads(note.read_text())["num_threads"] == found.num_threads

    def run(*arguments: object, **named: object) -> None:
        raise AssertionError("looked again")

    monkeypatch.setattr(subprocess, "run", run)
    assert probe() == found


PROBES = """
import subprocess, sys, time
from cifar_core.system import runtime

def look(*arguments, **named):
    with open(sys.argv[1], "a") as counted:
        counted.write("x")
    time.sleep(0.5)
    return subprocess.CompletedProcess([], 0, stdout=sys.argv[2])

subprocess.run = look
print(runtime.probe().num_threads)
"""


def test_many_processes_look_once(own_cache: Path, tmp_path: Path) -> None:
    """One looks, which is slowed down here so that all others come meanwhile and wait."""
    command = [sys.executable, "-c", PROBES, str(tmp_path / "looks"), json.dumps(vars(BARE))]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=repository()) for _ in range(8)
    ]
    for process in processes:
        answer, _ = process.communicate(timeout=60)
        assert int(answer) == BARE.num_threads
    assert (tmp_path / "looks").read_text() == "x"


def test_a_look_that_takes_too_long_elsewhere_is_not_waited_for(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = subprocess.CompletedProcess([], 0, stdout=json.dumps(vars(BARE)))
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **named: answer)
    monkeypatch.setattr(runtime, "PROBE_S", 0.1)
    with device_lock("hardware"):
        assert probe() == BARE


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b'"text"', b"{}", b'{"gpus":[],"capabilities":[1]}', b"\xff\xfe"],
)
def test_a_damaged_note_is_replaced(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    looked = vars(BARE)
    answer = subprocess.CompletedProcess([], 0, stdout=f"a warning\n{json.dumps(looked)}\n")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **named: answer)
    assert probe() == BARE
    (note,) = notes_of(own_cache)
    sound = note.read_bytes()
    note.write_bytes(damage)
    assert probe() == BARE
    assert notes_of(own_cache) == [note]
    assert note.read_bytes() == sound


def test_a_probe_needs_no_cache_that_can_be_written(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = vars(BARE)
    answer = subprocess.CompletedProcess([], 0, stdout=json.dumps(looked))
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **named: answer)
    own_cache.write_text("a file in the way")
    assert probe() == BARE
