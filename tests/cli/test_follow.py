"""A job on the terminal: Ctrl-C is heard wherever it falls."""

import os
import signal
from pathlib import Path

import pytest

from cifar_core.cli import follow as follow_module
from cifar_core.cli.follow import StatusLine, follow
from cifar_core.records.records import Metrics
from cifar_core.runs import lifecycle
from cifar_core.runs.lifecycle import force_stop, stopping_s
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, read_run
from tests.real_jobs import held, pretend_running
from tests.waiting import LIMIT_S


class Interrupts:
    """Is interrupted where Python swallows an exception: while an object goes away."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_a_press_that_meets_a_finaliser_is_not_lost(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, asked = read_run(copied), list[int]()
    pretend_running(copied)

    def reading(run_dir: Path) -> Run:
        asked.append(1)
        if len(asked) == 2:
            Interrupts()  # gone at once
        return read_run(run_dir) if len(asked) < 5 else ended

    monkeypatch.setattr(follow_module, "read_run", reading)
    before = signal.getsignal(signal.SIGINT)
    with held(copied, "running"):
        run, _ = follow(copied, lambda run, metrics: StatusLine(0.0, ""))
    assert run is ended
    assert (copied / "stop").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_after_ctrl_c_a_run_that_does_not_stop_can_be_ended_by_force(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed, lines = read_run(copied), list[str]()
    pretend_running(copied)

    def pressed(run: Run, metrics: Metrics) -> StatusLine:
        os.kill(os.getpid(), signal.SIGINT)
        lines.append(run.state)
        return StatusLine(0.0, "")

    monkeypatch.setattr(
        follow_module, "read_run", lambda path: completed if len(lines) == 2 else read_run(path)
    )
    monkeypatch.setattr(lifecycle, "FORCE_AFTER_S", 0.05)
    with held(copied, "running") as process:
        follow(copied, pressed)  # pressed twice: asking again is harmless
        assert stopping_s(read_run(copied)) > 0.05
        force_stop(read_run(copied))
        assert process.wait(LIMIT_S) == -signal.SIGKILL
    assert lines[:2] == [RunState.RUNNING, RunState.STOPPING]
    assert "Force-stopped by user" in read_run(copied).reason


def test_without_a_press_nothing_is_asked(copied: Path) -> None:
    _, metrics = follow(copied, lambda run, metrics: StatusLine(1.0, ""))
    assert isinstance(metrics, Metrics)
    assert not (copied / "stop").exists()
