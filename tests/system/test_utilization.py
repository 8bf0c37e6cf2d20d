"""What stands beside a run: how busy the machine and its GPU are."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cifar_core.system.utilization import GpuLoad, gpu_load


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
