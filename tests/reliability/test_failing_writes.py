"""Every n-th write, sync, rename, open of a worker made to fail: no success without the data."""

import json
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.jobs.launch import launch_training, resume_run
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun
from tests.real_jobs import wait_for
from tests.reliability.faults import FAULTY
from tests.reliability.plain import (
    PlainServer,
    figures_of,
    kept_figures,
    newest_value,
    plain_config,
    value_of,
)
from tests.reliability.report import Tally
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("plain")
ERRORS = ("EIO", "ENOSPC", "EACCES", "EROFS")
CONFIG = plain_config(epochs=3, step_s=0.0)
ENDS = (RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


def assert_honest(run: Run) -> None:
    """What is said to be done is whole on disk."""
    epochs = [e.epoch for e in read_metrics(run.path / "metrics.jsonl").epochs]
    assert epochs == list(range(1, len(epochs) + 1))
    whole = {c.role: value_of(c) for c in list_checkpoints(run.path)}
    said = [figures.epoch for figures in (run.status.last, run.status.best) if figures]
    if said:
        assert max(said) <= list_checkpoints(run.path, "last")[-1].epoch
        assert {"last", "best"} <= set(whole)
    if run.state is RunState.COMPLETED:
        assert epochs == [1, 2, 3]
        assert newest_value(run.path) == figures_of(CONFIG)[0]


def count_calls(runs: Path, plain: PlainServer) -> dict[str, int]:
    """How often an undisturbed worker calls each function."""
    plain.fault = {"count": True}
    run_dir = launch_training(runs, CONFIG)
    wait_for(run_dir, RunState.COMPLETED)
    plain.fault = {}
    counted = run_dir / "calls.json"
    wait_until(counted.exists)
    return json.loads(counted.read_text())


def test_no_success_is_reported_without_the_data(
    runs: Path, plain: PlainServer, tally: Tally
) -> None:
    calls = count_calls(runs, plain)
    assert set(calls) == set(FAULTY)
    value, figures = figures_of(CONFIG)
    done = good = 0
    ends: dict[RunState, int] = dict.fromkeys(ENDS, 0)
    for name, count in calls.items():
        errors = ERRORS if tally.full else ERRORS[1:2]
        for number in range(0, count, 1 if tally.full else max(count // 4, 1)):
            for error in errors:
                done += 1
                plain.fault = {"name": name, "number": number, "error": error}
                run = wait_for(launch_training(runs, CONFIG), *ENDS, kind=TrainingRun)
                plain.fault = {}
                ends[run.state] += 1
                assert_honest(run)
                if run.state.can_resume:
                    resume_run(run)
                    run = wait_for(run.path, RunState.COMPLETED, kind=TrainingRun)
                metrics = read_metrics(run.path / "metrics.jsonl")
                same = [e.test_acc for e in metrics.epochs] == figures
                same &= kept_figures(run.path) == pytest.approx(figures, abs=0.011)
                good += same and newest_value(run.path) == value
    ended = ", ".join(f"{count} {state}" for state, count in ends.items() if count)
    what = f"one {', '.join(FAULTY)} failing, each in turn: state correct, resumable ({ended})"
    tally.note("R16", what, good, done)
