"""kill -9 at random moments: what was said to be done is there, the rest is done again."""

import random
import time
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.jobs.launch import launch_training, resume_run
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState, find_worker, last_start
from cifar_core.runs.store import TrainingRun, list_runs, read_run, unreadable
from cifar_core.system.process_identity import find_process
from tests.real_jobs import wait_for
from tests.reliability.plain import figures_of, kept_figures, newest_value, plain_config, value_of
from tests.reliability.report import Tally
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("plain")


def kill_after(run_dir: Path, seconds: float) -> None:
    """Ends the worker of a run without a warning, if it is still there."""
    time.sleep(seconds)
    run = read_run(run_dir)
    process = find_worker(run.status, last_start(run_dir, run.created))
    if process:
        process.kill()
        process.wait(LIMIT_S)


def test_a_resume_leaves_the_checkpoints_that_are_there_alone(runs: Path) -> None:
    """To write one again is a moment in which a kill leaves none of that epoch."""
    run_dir = launch_training(runs, plain_config(step_s=0.05, keep_epochs=5))
    seen: list[set[tuple[str, int]]] = []
    for _ in range(2):
        (run_dir / "trouble").write_text("exit")  # in the second epoch
        if seen:
            resume_run(read_run(run_dir, TrainingRun))
        wait_for(run_dir, RunState.INTERRUPTED)
        seen.append({(c.name, c.path.stat().st_ino) for c in list_checkpoints(run_dir)})
    assert {name for name, _ in seen[0]} == {"last-0000004", "best-0000004", "epoch-0000004"}
    assert seen[1] == seen[0]
    assert read_run(run_dir, TrainingRun).status.best.epoch == 1


def test_killed_at_any_moment_a_run_loses_at_most_the_epoch_in_flight(
    runs: Path, tally: Tally
) -> None:
    chance = random.Random(0)
    config = plain_config(epochs=6, step_s=0.004)
    value, figures = figures_of(config)
    kept = whole = 0
    times = tally.times(12, 500)
    while kept < times:
        run_dir = launch_training(runs, config)
        while kept < times and read_run(run_dir).state is not RunState.COMPLETED:
            kill_after(run_dir, chance.uniform(0.0, 0.25))
            run = read_run(run_dir, TrainingRun)
            if run.state is not RunState.INTERRUPTED:
                continue
            epochs = [e.epoch for e in read_metrics(run_dir / "metrics.jsonl").epochs]
            said = run.status.last.epoch if run.status.last else 0  # what a page has shown
            newest = list_checkpoints(run_dir, "last")
            there = newest[-1].epoch if newest else 0
            assert epochs == list(range(1, len(epochs) + 1))
            assert said <= there <= len(epochs) <= there + 1, (said, there, epochs)
            for checkpoint in list_checkpoints(run_dir):
                value_of(checkpoint)
            kept += 1
            resume_run(run)
        run = wait_for(run_dir, RunState.COMPLETED, RunState.INTERRUPTED)
        if run.state is RunState.COMPLETED:
            metrics = read_metrics(run_dir / "metrics.jsonl")
            assert [e.test_acc for e in metrics.epochs] == figures
            assert kept_figures(run_dir) == pytest.approx(figures, abs=0.011)
            assert newest_value(run_dir) == value
            assert run.status.best.epoch == metrics.best.epoch
        assert not unreadable(runs)
        whole += 1
    assert len(list_runs(runs)) == whole
    what = "kill -9 of a plain worker at a random moment: only the current epoch is lost"
    tally.note("R12", what, kept, times)
    assert find_process(None) is None
