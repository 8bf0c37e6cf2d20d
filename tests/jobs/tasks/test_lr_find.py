"""The LR test as a job and as a command: its points, its ends, its place in the queue."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cifar_core.cli.main import main
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig
from cifar_core.data import open_dataset
from cifar_core.errors import CifarCoreError, ConfigError
from cifar_core.jobs.launch import launch_lr_find, launch_training, start_worker
from cifar_core.jobs.queue import queue_position
from cifar_core.lr_finder.curve import centered
from cifar_core.lr_finder.range_test import explain_ending, range_test
from cifar_core.lr_finder.suggest import steepest, suggest_lr
from cifar_core.records.records import LRPoint, read_metrics
from cifar_core.runs.lifecycle import create_run, request_stop
from cifar_core.runs.requests import LRTestRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import LRTestRun, list_runs, read_run
from cifar_core.validation import validated
from tests.real_jobs import ENDLESS, SMALL, small, wait_for, wait_until_training
from tests.waiting import LIMIT_S, wait_until

ENDED = (RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here and in the workers: beside other work, a second thread costs much at this size."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def find_of(**changes: Any) -> LRTestConfig:
    return validated(LRTestConfig, {"num_steps": 24, "start_lr": 1e-4, "end_lr": 1, **changes})


def on_cpu(**changes: Any) -> TrainConfig:
    return small(device="cpu", **changes)


def points_of(run_dir: Path) -> list[LRPoint]:
    return list(read_metrics(run_dir / "metrics.jsonl").points)


def ended(run_dir: Path) -> LRTestRun:
    return wait_for(run_dir, *ENDED, kind=LRTestRun)


def test_its_points_are_those_of_the_library_and_its_request_keeps_the_settings(
    runs: Path,
) -> None:
    data = open_dataset("shapes10")
    config, find = on_cpu(), find_of(mode="linear", smoothing=0.3, diverge_factor=900)
    run = ended(launch_lr_find(runs, config, find))
    assert (run.kind, run.state, run.reason) == ("lr_find", RunState.COMPLETED, "")
    assert run.status.ending == "completed"
    assert run.lr_test == find
    assert run.config == config
    assert run.request.device == run.status.runtime.device == "cpu"
    assert run.request.fingerprint == run.status.fingerprint == data.fingerprint
    assert run.status.data_title == "Shapes-10"
    found = points_of(run.path)
    assert [point.step for point in found] == list(range(1, 25))
    assert [point.lr for point in found] == sorted({point.lr for point in found})
    assert (found[0].lr, found[-1].lr) == (1e-4, pytest.approx(1))
    here: list[LRPoint] = []
    range_test(config, find, data, here.append, lambda: False)
    assert found == here
    assert list_runs(runs) == []  # it is no training


def test_a_stop_keeps_the_points_so_far(runs: Path) -> None:
    find = find_of(num_steps=1000, start_lr=1e-6, end_lr=1e-5)
    run_dir = launch_lr_find(runs, on_cpu(), find)
    wait_until_training(run_dir)
    request_stop(read_run(run_dir))
    run = ended(run_dir)
    assert (run.state, run.reason) == (RunState.STOPPED, "Stopped by user.")
    assert run.status.ending == "stopped"
    points = points_of(run_dir)
    assert 1 <= len(points) < 1000
    assert [point.step for point in points] == list(range(1, len(points) + 1))
    told = explain_ending(run.status.ending, points, find)
    assert told.startswith(f"Stopped after {len(points)} of 1000 steps, at lr 1")


def test_it_waits_behind_a_training_of_the_same_device(runs: Path) -> None:
    training = launch_training(runs, on_cpu(**{"epochs": ENDLESS["epochs"]}))
    wait_for(training, RunState.RUNNING)
    first, second = (launch_lr_find(runs, on_cpu(), find_of()) for _ in range(2))
    for waiting in (first, second):
        wait_for(waiting, RunState.QUEUED)
    assert (queue_position(first), queue_position(second)) == (0, 1)
    wait_until(lambda: read_run(second).status.worker)
    request_stop(read_run(second))  # out of the queue
    taken_out = ended(second)
    assert (taken_out.state, points_of(second)) == (RunState.STOPPED, [])
    assert taken_out.status.ending == ""
    assert read_run(first).state is RunState.QUEUED
    asked_at = time.time()
    request_stop(read_run(training))
    run = ended(first)
    assert run.state is RunState.COMPLETED
    assert run.status.started >= asked_at
    assert len(points_of(first)) == 24


def test_a_batch_larger_than_the_data_is_refused_before_anything_is_written(runs: Path) -> None:
    open_dataset("shapes10")
    with pytest.raises(ConfigError, match="batch_size = 256 is more than the 255 training images"):
        launch_lr_find(runs, small(train_size=255, batch_size=256), find_of())
    assert not runs.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"device": "cuda:63"}, "cuda:63"), ({"data": "nowhere"}, "nowhere is no copy of CIFAR-10")],
    ids=["device", "data"],
)
def test_what_is_not_here_is_refused_before_anything_is_written(
    runs: Path, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(CifarCoreError, match=told):
        launch_lr_find(runs, small(**changes), find_of())
    assert not runs.exists()


def test_a_loss_that_is_no_longer_a_number_ends_it_in_order(runs: Path) -> None:
    # The weights grow a thousandfold each step; hardly smoothed, the loss never "diverges" first.
    config = on_cpu(optimizer="sgd", l1=1, weight_decay=10)
    find = find_of(start_lr=90, end_lr=100, num_steps=60, smoothing=1e-37, diverge_factor=1000)
    run = ended(launch_lr_find(runs, config, find))
    assert (run.state, run.status.ending) == (RunState.COMPLETED, "not a number")
    points = points_of(run.path)
    assert len(points) < 60
    assert read_metrics(run.path / "metrics.jsonl").damaged == 0
    told = explain_ending("not a number", points, find)
    assert told.startswith(f"The loss became NaN or infinite after {len(points)} of 60 steps")
    assert suggest_lr(points) is None


def test_other_data_than_at_the_start_are_refused(runs: Path) -> None:
    request = partial(
        LRTestRequest, config=on_cpu(), find=find_of(), device="cpu", fingerprint="0" * 32
    )
    run_dir = create_run(runs, request)
    start_worker(run_dir)
    run = ended(run_dir)
    assert run.state is RunState.FAILED
    assert "is not the data this run was started with" in run.reason
    assert points_of(run_dir) == []


def test_the_suggestion_reads_the_single_losses_and_not_the_lagging_mean() -> None:
    lrs = [10 ** (-5 + 6 * k / 99) for k in range(100)]
    raw = [2.3 - 1.5 / (1 + 2.718 ** (-(k - 50) / 4)) for k in range(100)]
    lagging = [raw[0]]
    for loss in raw[1:]:
        lagging.append(0.05 * loss + 0.95 * lagging[-1])
    points = [LRPoint(k + 1, lrs[k], lagging[k], raw[k]) for k in range(100)]
    found = suggest_lr(points)
    assert found is not None
    assert found == steepest(lrs, centered(raw))
    assert found != steepest(lrs, lagging)
    assert found.index == pytest.approx(50, abs=1)
    assert found.lr == lrs[found.index]
    assert suggest_lr([]) is None


def test_what_counts_as_diverged_is_the_tests_own_setting() -> None:
    lrs = [10 ** (-5 + 6 * k / 99) for k in range(100)]
    raw = np.interp(range(100), [0, 10, 60, 70, 78, 99], [2.3, 2.3, 0.8, 2.0, 0.2, 0.2]).tolist()
    points = [LRPoint(k + 1, lrs[k], raw[k], raw[k]) for k in range(100)]
    strict, lenient = suggest_lr(points, 1.2), suggest_lr(points, 1000.0)
    assert strict is not None
    assert lenient is not None
    assert strict.index < 60 < lenient.index


SETTINGS = [
    word
    for name, value in SMALL.items()
    if name != "epochs"
    for word in (f"--{name.replace('_', '-')}", str(value))
]
RANGE = ["--num-steps", "12", "--start-lr", "1e-4", "--end-lr", "0.5"]


def test_the_command_prints_points_and_a_suggestion(
    capsys: pytest.CaptureFixture[str], runs: Path
) -> None:
    assert main(["lr-find", *SETTINGS, *RANGE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    points = points_of(runs / told["run_id"])
    assert told["points"] == [asdict(point) for point in points]
    assert [point.lr for point in points] == pytest.approx(np.geomspace(1e-4, 0.5, 12))
    assert (told["state"], told["ending"]) == ("completed", "Completed 12 steps.")
    found = suggest_lr(points)
    assert told["suggestion"] == (
        found and {"lr": found.lr, "rule": found.rule, "reason": found.reason}
    )
    assert told["suggestion"] == (told["rules"][0] if found else None)
    assert ("no_suggestion" in told) == (not told["rules"])
    run = read_run(runs / told["run_id"], LRTestRun)
    assert run.lr_test == LRTestConfig(num_steps=12, start_lr=1e-4, end_lr=0.5)
    assert run.config.batch_size == SMALL["batch_size"]


def test_several_seeds_are_tested_one_after_the_other(runs: Path) -> None:
    job = launch_lr_find(runs, on_cpu(), find_of(num_seeds=2, num_steps=12))
    assert ended(job).state is RunState.COMPLETED
    points = points_of(job)
    assert [point.repeat for point in points] == [0] * 12 + [1] * 12
    assert [point.step for point in points] == [*range(1, 13)] * 2
    first, second = points[:12], points[12:]
    assert [point.lr for point in first] == [point.lr for point in second]
    assert first[0].raw != second[0].raw, "another seed, other weights and batches"
    alone = launch_lr_find(runs, on_cpu(seed=1), find_of(num_steps=12))
    assert ended(alone).state is RunState.COMPLETED
    assert [p.raw for p in points_of(alone)] == [p.raw for p in second]


def test_the_command_as_a_process(runs: Path) -> None:
    command = [sys.executable, "-m", "cifar_core", "lr-find", *SETTINGS, *RANGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    first, second, *_ = done.stdout.splitlines()
    assert first == "Completed 12 steps."
    assert second.startswith(("Suggested learning rate: ", "No suggestion from this curve."))
    assert done.stderr == ""
    assert len(list_runs(runs, LRTestRun)) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lr", "0.1"], ["--lr"]),  # it plays no part in a test
        (["--epochs", "3"], ["--epochs"]),
        (["--ema", "0.9"], ["--ema"]),
        (["--end-lr", "1e-6"], ["end_lr = 1e-06", "start_lr = 1e-05"]),
        (["--end-lr", "1e-5"], ["end_lr = 1e-05 is not above"]),
        (["--num-steps", "9"], ["num_steps = '9'", "from 10 to 1,000"]),
        (["--mode", "cosine"], ["cosine", "exp, linear"]),
        (["--start-lr", "nan"], ["start_lr", "nan"]),
        (
            ["--batch-size", "4096", "--train-size", "600"],
            ["batch_size = 4096", "600 training images"],
        ),
        (["--data", "nowhere"], ["nowhere", "is no copy of CIFAR-10"]),
    ],
    ids=lambda v: " ".join(v)[:40],
)
def test_a_mistake_gets_one_sentence_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], runs: Path, words: list[str], told: list[str]
) -> None:
    try:
        code = main(["lr-find", *SETTINGS, *words])
    except SystemExit as exit_:  # argparse's way out
        code = exit_.code
    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("\n")) == (2, "", 1)
    for text in told:
        assert text in printed.err
    assert not runs.exists()
