"""A job on the terminal: Ctrl-C is heard wherever it falls."""

import os
import signal
from pathlib import Path

import pytest

from cifar_core.cli import follow as follow_module
from cifar_core.cli.follow import StatusLine, follow
from cifar_core.records.records import Metrics
from cifar_core.runs.store import Run, read_run
from tests.real_jobs import held, pretend_running


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


def test_without_a_press_nothing_is_asked(copied: Path) -> None:
    _, metrics = follow(copied, lambda run, metrics: StatusLine(1.0, ""))
    assert isinstance(metrics, Metrics)
    assert not (copied / "stop").exists()
