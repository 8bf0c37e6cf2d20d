"""Processes of ours: they outlive their parent, log to a file, and find the same folders."""

import os
from pathlib import Path

import psutil
import pytest

from cifar_core.system.paths import repository
from cifar_core.system.processes import KEEP_MEMORY, environment, spawn
from tests.waiting import LIMIT_S


def test_output_and_errors_go_to_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("before\n")
    assert spawn("cifar_core", "runs", "show", "nobody", log=log).wait(LIMIT_S) == 2
    text = log.read_text()
    assert text.startswith("before\n")
    assert "nobody" in text


def test_a_child_leads_a_session_of_its_own_and_leaves_no_zombie(tmp_path: Path) -> None:
    process = spawn("http.server", "--bind", "127.0.0.1", "0", log=tmp_path / "log")
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert psutil.Process(process.pid).cwd() == str(repository())
    process.kill()
    process.wait(LIMIT_S)
    assert not psutil.pid_exists(process.pid)


def test_folders_are_absolute_since_a_child_starts_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIFAR10_DIR", "copy")
    monkeypatch.setenv("CIFAR_CACHE", "~/cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CIFAR_RUNS")
    found = environment()
    assert found["CIFAR10_DIR"] == str(tmp_path / "copy")
    assert found["CIFAR_CACHE"] == str(tmp_path / "home" / "cache")
    assert "CIFAR_RUNS" not in found
    assert found["NO_ALBUMENTATIONS_UPDATE"] == "1"


def test_what_a_user_sets_for_the_allocator_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEEP_MEMORY:
        monkeypatch.delenv(name, raising=False)
    assert environment().items() >= KEEP_MEMORY.items()
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    assert environment()["MALLOC_TRIM_THRESHOLD_"] == "1"
