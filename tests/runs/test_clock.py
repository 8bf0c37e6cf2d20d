"""A clock that is set during a run: what the run is, how long it took, what can be done with it."""

import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cifar_core.jobs.context import JobContext
from cifar_core.records import layout
from cifar_core.records.records import read_metrics
from cifar_core.runs.files import Start, Status, read_start, read_status
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.requests import TrainRequest
from cifar_core.runs.states import RunState, outcome_of
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.json_files import write_typed
from cifar_core.system.paths import repository
from tests.real_jobs import small
from tests.waiting import LIMIT_S

WORKER = """
import itertools, sys, time
from pathlib import Path
real, calls = time.time, itertools.count()
time.time = lambda: real() - (600.0 if next(calls) > 3 else 0.0)
from cifar_core.jobs.worker import main
sys.exit(main(Path(sys.argv[1])))
"""


def test_a_run_whose_clock_was_set_back_has_completed(runs: Path) -> None:
    run_dir = create_run(runs, partial(TrainRequest, config=small(epochs=2), device="cpu"))
    now = read_run(run_dir).created.timestamp()
    write_typed(run_dir / layout.START, Start(now, attempt=1))
    command = [sys.executable, "-c", WORKER, str(run_dir)]
    subprocess.run(command, cwd=repository(), check=True, timeout=LIMIT_S)
    run = read_run(run_dir, TrainingRun)
    assert run.status.ended is not None
    assert run.status.ended < now - 500, "the clock was set"
    assert run.state is RunState.COMPLETED
    assert run.took_s is not None
    assert 0 < run.took_s < LIMIT_S
    times = [epoch.elapsed_s for epoch in read_metrics(run_dir / layout.METRICS).epochs]
    assert 0 < times[0] < times[1] <= run.took_s


def test_an_attempt_counts_and_not_the_time() -> None:
    status = Status(outcome="completed", ended=100.0, attempt=1)
    assert outcome_of(status, Start(700.0, attempt=1)) is RunState.COMPLETED
    assert outcome_of(status, Start(50.0, attempt=2)) is None, "asked for once more"
    # as early versions kept it
    old = replace(status, attempt=0)
    assert outcome_of(old, Start(50.0)) is RunState.COMPLETED
    assert outcome_of(old, Start(700.0)) is None
    assert outcome_of(old, Start(50.0, attempt=1)) is None


@pytest.mark.parametrize(
    ("earlier", "spent"),
    [
        (Status(), 0.0),
        (Status(elapsed=50.0, spent=20.0, started=900.0, updated=300.0), 50.0),
        (Status(started=100.0, updated=130.0), 30.0),
        (Status(started=100.0, updated=130.0, ended=140.0), 40.0),
        (Status(started=700.0, updated=130.0), 0.0),
    ],
)
def test_seconds_of_earlier_workers_are_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: Status, spent: float
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is no worker
    run_dir = create_run(tmp_path, partial(TrainRequest, config=small(), device="cpu"))
    write_typed(run_dir / layout.STATUS, earlier)
    job = JobContext(run_dir)
    assert (job.status.spent, job.elapsed_s) == (spent, None)
    job.start()
    elapsed = (read_status(run_dir) or Status()).elapsed
    assert elapsed is not None
    assert spent <= elapsed < spent + LIMIT_S
    assert read_start(run_dir) is None
