"""What stands beside a run: how busy the machine and its GPU are."""

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from cifar_core.system import utilization
from cifar_core.system.utilization import GpuLoad, OtherPrograms, gpu_load
from tests.waiting import wait_until


class DriverError(Exception):
    pass


def driver(calls: list[Any], fails: str = "") -> SimpleNamespace:
    """As the package nvidia-ml-py, for three GPUs."""

    def answer(name: str, value: Any) -> Any:
        def asked(*arguments: Any) -> Any:
            calls.append((name, *arguments))
            if name == fails:
                raise DriverError
            return value

        return asked

    return SimpleNamespace(
        NVMLError=DriverError,
        nvmlInit=answer("init", None),
        nvmlShutdown=answer("shutdown", None),
        nvmlDeviceGetHandleByIndex=answer("handle", "a GPU"),
        nvmlDeviceGetMemoryInfo=answer("memory", SimpleNamespace(used=3, total=8)),
        nvmlDeviceGetUtilizationRates=answer("rates", SimpleNamespace(gpu=75)),
        nvmlDeviceGetName=answer("name", "H200"),
    )


@pytest.mark.parametrize(
    ("device", "visible", "number"),
    [("cuda:0", "", 0), ("cuda", "", 0), ("cuda:2", "", 2), ("cuda:1", "0,2", 2)],
)
def test_the_gpu_of_a_run_is_asked(
    monkeypatch: pytest.MonkeyPatch, device: str, visible: str, number: int
) -> None:
    calls: list[Any] = []
    monkeypatch.setitem(sys.modules, "pynvml", driver(calls))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_load(device) == GpuLoad("H200", 0.75, 3, 8)
    assert ("handle", number) in calls
    assert (calls[0], calls[-1]) == (("init",), ("shutdown",))


@pytest.mark.parametrize("fails", ["init", "handle", "rates"])
def test_a_driver_that_fails_says_nothing(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    calls: list[Any] = []
    monkeypatch.setitem(sys.modules, "pynvml", driver(calls, fails))
    assert gpu_load("cuda:0") is None
    assert (("shutdown",) in calls) is (fails != "init")


def test_nothing_is_asked_on_a_cpu_or_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu_load("cpu") is None
    assert gpu_load("cuda:0") is None


def test_what_other_programs_take_is_all_but_what_this_one_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four CPUs, 10 s: 25 of 40 s were used, 5 of them by this process and its children."""
    monkeypatch.setattr(utilization.psutil, "cpu_count", lambda: 4)
    clock, used, own = iter([100.0, 110.0, 110.0]), iter([7.0, 32.0, 12.0]), iter([1.0, 6.0, 9.0])
    monkeypatch.setattr(utilization.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(utilization, "_all_cpu_s", lambda: next(used))
    monkeypatch.setattr(utilization, "_own_cpu_s", lambda: next(own))
    programs = OtherPrograms()
    assert programs.share() == pytest.approx(20 / 40)
    assert programs.share() == 0.0, "clocks that differ a little never make it negative"


def test_a_program_beside_this_one_is_seen() -> None:
    burn = "import time\nwhile time.process_time() < 1: pass"
    programs, started = OtherPrograms(), time.monotonic()
    with subprocess.Popen([sys.executable, "-c", burn]) as other:
        wait_until(lambda: sum(psutil.Process(other.pid).cpu_times()[:2]) > 0.5)
        share = programs.share()  # it is not waited for yet, so that it is no child of ours
        spent = (time.monotonic() - started) * (psutil.cpu_count() or 1)
    assert 0.3 / spent < share <= 1
