"""One intention, one run: however often, from however many places, the button is pressed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.jobs.launch import launch_training
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from cifar_core.system.process_identity import find_process
from tests.real_jobs import rewrite, wait_for
from tests.reliability.clicks import Clickers
from tests.reliability.plain import PlainServer, figures_of, newest_value, plain_config
from tests.reliability.report import Tally
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def clickers(shared_cache: Path) -> Iterator[Clickers]:
    """With the cache of all tests; which runs they are about is said with each order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        started = Clickers()
    yield started
    started.close()


def workers_of(run_dir: Path) -> int:
    """How many workers ever began: each names itself once in the log of its starts."""
    return (run_dir / "worker.log").read_text().count("plain worker begins")


def test_two_clicks_within_half_a_second_start_one_run(
    runs: Path, clickers: Clickers, tally: Tally
) -> None:
    times, good = tally.times(8, 200), 0
    for number in range(times):
        gap_s = 0.5 * number / times
        first, second = clickers.click("launch", runs, f"{number:016x}", [0.0, gap_s])
        run_dir = runs / first
        wait_for(run_dir, RunState.COMPLETED)
        good += first == second and workers_of(run_dir) == 1
    assert len(list_runs(runs)) == times
    tally.note(
        "R1", "two clicks, 0 to 500 ms apart, in two processes: one run, one worker", good, times
    )


def test_fifty_processes_with_one_draft_start_one_run(
    runs: Path, clickers: Clickers, tally: Tally
) -> None:
    rounds, people, good = tally.times(1, 4), tally.times(12, 50), 0
    for number in range(rounds):
        answers = clickers.click("launch", runs, f"{number:016x}", [0.0] * people)
        assert len(answers) == people
        wait_for(runs / answers[0], RunState.COMPLETED)
        good += len(set(answers)) == 1 and workers_of(runs / answers[0]) == 1
    assert len(list_runs(runs)) == rounds
    what = f"{people} processes that start one draft at the same moment: one run, all get its id"
    tally.note("R1", what, good, rounds)


@pytest.mark.usefixtures("plain")
def test_a_draft_with_other_settings_is_refused_and_starts_nothing(
    runs: Path, clickers: Clickers
) -> None:
    draft = "0123456789abcdef"
    first = launch_training(runs, plain_config(2), "first", draft=draft)
    (told,) = clickers.click("launch", runs, draft, [0.0], epochs=3)
    assert "was already started as first, with different settings. Press Start again" in told
    assert [run.path for run in list_runs(runs)] == [first]


def interrupted(runs: Path, plain: PlainServer) -> Path:
    """A run whose worker was killed in its third epoch."""
    run_dir = launch_training(runs, plain_config(epochs=4, step_s=0.02))
    wait_until(lambda: len(read_metrics(run_dir / "metrics.jsonl").epochs) >= 2)
    process = find_process(read_run(run_dir).status.worker)
    assert process is not None
    process.kill()
    wait_for(run_dir, RunState.INTERRUPTED)
    return run_dir


def test_two_resumes_in_the_same_moment_go_on_once(
    runs: Path, plain: PlainServer, clickers: Clickers, tally: Tally
) -> None:
    value, figures = figures_of(plain_config(epochs=4))
    times, good = tally.times(3, 60), 0
    for number in range(times):
        run_dir = interrupted(runs, plain)
        clickers.click("resume", runs, run_dir.name, [0.0, 0.1 * number / times])
        wait_for(run_dir, RunState.COMPLETED)
        metrics = read_metrics(run_dir / "metrics.jsonl")
        once = len(metrics.resumes) == 1 and workers_of(run_dir) == 2
        good += once and [e.test_acc for e in metrics.epochs] == figures
        assert newest_value(run_dir) == value
    tally.note("R1", "two Resumes at the same moment: one worker, each epoch once", good, times)


def test_two_people_who_extend_a_run_get_the_same_longer_one(
    runs: Path, plain: PlainServer, clickers: Clickers
) -> None:
    run_dir = launch_training(runs, plain_config(epochs=2))
    wait_for(run_dir, RunState.COMPLETED)
    (runs / ".names.lock").touch()
    first, second = clickers.click("extend", runs, run_dir.name, [0.0, 0.0], epochs=5)
    assert first == second != run_dir.name
    wait_for(runs / first, RunState.COMPLETED)
    value, figures = figures_of(plain_config(epochs=5))
    metrics = read_metrics(runs / first / "metrics.jsonl")
    assert [e.epoch for e in metrics.epochs] == [1, 2, 3, 4, 5]
    assert [e.test_acc for e in metrics.epochs] == figures
    assert newest_value(runs / first) == value
    assert [e.epoch for e in read_metrics(run_dir / "metrics.jsonl").epochs] == [1, 2]
    assert json.loads((run_dir / "status.json").read_text())["outcome"] == "completed"
    rewrite(run_dir, "status.json", outcome="stopped")
    assert (
        "Only a completed training can be extended"
        in clickers.click("extend", runs, run_dir.name, [0.0], epochs=9)[0]
    )
