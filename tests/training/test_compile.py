"""torch.compile: the same training, when it pays, and what is said where it cannot be had."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import make_config
from cifar_core.data import Dataset
from cifar_core.errors import ConfigError
from cifar_core.forecast.forecast import Throughput, forecast_from
from cifar_core.jobs import launch
from cifar_core.jobs.launch import launch_training
from cifar_core.runs.store import LRTestRun, Run, list_runs, read_run
from cifar_core.system.runtime import check_compiler
from cifar_core.training import engine
from tests.builders import config_of, epochs_of, trained

SPEED = Throughput(train=1000, evaluate=5000, device=1100, memory_bytes=10**9)


def verdict(speed: Throughput) -> str:
    config = make_config({"data": "shapes10", "train_size": 5000, "val_size": 0, "epochs": 10})
    return forecast_from(speed, config).verdict


def test_without_it_nothing_is_said_of_it() -> None:
    assert "ompil" not in verdict(SPEED)


@pytest.mark.parametrize(
    ("eager", "said"),
    [
        (500, "Compiling takes 30 s and saves 5.0 s per epoch: faster from epoch 6 on."),
        (930, "Compiling takes 30 s and saves 0.4 s per epoch: faster from epoch 80 on."),
        (1001, "torch.compile is not faster here, 1,000 vs. 1,001 images/s: leave compile"),
    ],
)
def test_the_forecast_says_from_which_epoch_it_pays(eager: float, said: str) -> None:
    assert said in verdict(replace(SPEED, compile_s=30.0, eager=eager))


def test_the_time_of_compiling_is_in_the_forecast() -> None:
    config = make_config({"data": "shapes10", "epochs": 2})
    compiled = replace(SPEED, compile_s=30.0, eager=900.0)
    took_s = forecast_from(compiled, config).seconds - forecast_from(SPEED, config).seconds
    assert took_s == pytest.approx(30)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_without_a_compiler_the_next_step_is_named(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("PATH", "")
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"needs g(\+\+|cc), which is not .*turn compile off"):
        check_compiler(device)


def test_a_run_that_cannot_compile_is_not_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    config = make_config({"data": "shapes10", "device": "cpu", "compile": True})
    with pytest.raises(ConfigError, match="no-compiler"):
        launch_training(tmp_path, config)
    assert list_runs(tmp_path, Run) == []


def test_neither_is_one_resumed_on_a_machine_without_a_compiler(
    monkeypatch: pytest.MonkeyPatch, tiny: Dataset
) -> None:
    monkeypatch.setenv("CXX", "no-compiler")
    with pytest.raises(ConfigError, match="no-compiler"):
        trained(config_of(compile=True), tiny)


def test_an_lr_test_does_not_compile_and_needs_no_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", "no-compiler")
    monkeypatch.setattr(launch, "start_worker", lambda run_dir: None)
    config = make_config({"data": "shapes10", "device": "cpu", "compile": True})
    run = read_run(launch.launch_lr_find(tmp_path, config, LRTestConfig()), LRTestRun)
    assert run.config == config.model_copy(update={"compile": False})


def test_the_compiled_model_is_what_a_step_calls(
    monkeypatch: pytest.MonkeyPatch, tiny: Dataset
) -> None:
    """Compiling itself takes a minute, so here it is only counted; the slow test does it."""
    called = []

    def compile_(model: torch.nn.Module) -> object:
        return lambda images: called.append(len(images)) or model(images)

    monkeypatch.setattr(engine.torch, "compile", compile_)
    monkeypatch.setenv("CXX", sys.executable)  # a machine without a compiler will do
    plain, _ = trained(config_of(), tiny)
    assert called == []
    state, _ = trained(config_of(compile=True), tiny)
    assert called == [16] * 9
    ours, theirs = state.model.state_dict(), plain.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="no g++")
@pytest.mark.filterwarnings("ignore")  # of torch's own compiler
def test_compiled_training_is_the_same_training(tiny: Dataset) -> None:
    """Without dropout, whose masks differ when compiled (torch: `fallback_random` is off)."""
    from torch._inductor import config as compiler

    _, plain = trained(config_of(), tiny)
    with compiler.patch({"cpp.cxx": (None, "g++")}):  # it may know CXX of a test before
        _, compiled = trained(config_of(compile=True), tiny)
    for one, other in zip(epochs_of(plain), epochs_of(compiled), strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=1e-3)
        assert other.test_loss == pytest.approx(one.test_loss, rel=1e-2)
