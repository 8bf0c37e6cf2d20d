"""The faults again, with workers that really train: the full counts alone."""

import os
import random
import signal
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cifar_core.checkpoints.checkpoint import find_checkpoint, list_checkpoints
from cifar_core.config.train import TrainConfig
from cifar_core.forecast import disk_space
from cifar_core.jobs.launch import extend_run, launch_training, resume_run
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.memory import Memory, note_memory
from tests.real_jobs import small, wait_for, wait_until_training
from tests.reliability.report import Tally
from tests.waiting import wait_until

pytestmark = pytest.mark.own_process
TIMES = {"images_per_s": 0.0, "train_s": 0.0, "eval_s": 0.0, "elapsed_s": 0.0}
ENDS = (RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)
# One of each path that a state can take: optimizer, schedule, averaging, dropout, augmentation.
PATHS: dict[str, dict[str, Any]] = {
    "sgd, onecycle": {},
    "ema": {"ema": 0.9, "augment": "cutout"},
    "adamw, cosine": {"optimizer": "adamw", "lr": 0.003, "schedule": "cosine", "l1": 1e-5},
    "albumentations": {"augment": "eva_resnet18", "num_workers": 1, "train_size": 1280},
    "dropout, step": {"model": "sepnet_v1", "schedule": "step", "step_epochs": 2, "ema": 0.8},
}


@pytest.fixture(autouse=True)
def only_in_full(tally: Tally) -> None:
    """Few of these are in test_resume_run and test_worker."""
    if not tally.full:
        pytest.skip("make test-slow")


def config_of(path: str) -> TrainConfig:
    return small(**{"train_size": 2560, "epochs": 4, **PATHS[path]})


def result_of(run_dir: Path) -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    """Figures of all epochs without their times, and the last weights."""
    epochs = read_metrics(run_dir / "metrics.jsonl").epochs
    weights = load_file(find_checkpoint(run_dir, "last").path / "weights.safetensors")
    return [{**asdict(e), **TIMES} for e in epochs], weights


def are_twins(one: Path, other: Path) -> bool:
    """Bit for bit."""
    (epochs, weights), (theirs, their_weights) = result_of(one), result_of(other)
    return epochs == theirs and all(torch.equal(weights[n], w) for n, w in their_weights.items())


def pid_of(run_dir: Path) -> int:
    wait_for(run_dir, RunState.RUNNING, *ENDS, kind=TrainingRun)
    return read_run(run_dir, TrainingRun).status.worker.pid


def has_gone_on(run_dir: Path, known: int) -> bool:
    """Whether a training has more steps than are known, or has ended."""
    steps = read_metrics(run_dir / "metrics.jsonl").steps
    return len(steps) > known or not read_run(run_dir, TrainingRun).state.is_active


def end_it(run_dir: Path, how: str) -> None:
    """Ends a training before its work is done."""
    if how == "stop":
        request_stop(read_run(run_dir, TrainingRun))
    else:
        os.kill(pid_of(run_dir), signal.SIGKILL if how == "kill -9" else signal.SIGTERM)
    wait_for(run_dir, *ENDS, kind=TrainingRun)


@pytest.mark.parametrize("path", PATHS)
def test_killed_stopped_and_terminated_a_run_ends_as_its_twin(
    runs: Path, tally: Tally, path: str
) -> None:
    """Each run is killed, stopped and terminated, at moments of its own, and resumed each time."""
    chance, good, marked = random.Random(path), 0, 0
    twin = launch_training(runs, config_of(path))
    wait_for(twin, RunState.COMPLETED)
    times = 3  # of each path; each run is ended three times
    for _ in range(times):
        run_dir, resumes = launch_training(runs, config_of(path)), 0
        for how in ("kill -9", "stop", "SIGTERM"):
            known = len(read_metrics(run_dir / "metrics.jsonl").steps)
            wait_until(partial(has_gone_on, run_dir, known))
            time.sleep(chance.uniform(0, 0.4))
            if not read_run(run_dir, TrainingRun).state.is_active:
                break
            end_it(run_dir, how)
            if read_run(run_dir, TrainingRun).state.can_resume:
                resume_run(read_run(run_dir, TrainingRun))
                resumes += 1
        wait_for(run_dir, RunState.COMPLETED)
        good += are_twins(run_dir, twin)
        marked += len(read_metrics(run_dir / "metrics.jsonl").resumes) == resumes > 0
    what = (
        f"kill -9, Stop and SIGTERM in one torch run ({path}), resumed: bit for bit as undisturbed"
    )
    tally.note("R19", what, good, times)
    tally.note(
        "R20", f"the same runs ({path}): each epoch once, each resume recorded", marked, times
    )


def test_a_killed_holder_lets_the_next_training_run(runs: Path, tally: Tally) -> None:
    times, good = 30, 0
    run_dirs = [launch_training(runs, small(epochs=2000)) for _ in range(2)]
    for _ in range(times):
        holder, follower = run_dirs[-2:]
        wait_until_training(holder)
        run_dirs.append(launch_training(runs, small(epochs=2000)))
        os.kill(pid_of(holder), signal.SIGKILL)
        killed_at = time.monotonic()
        assert wait_for(holder, RunState.INTERRUPTED, timeout_s=15)
        good += (
            time.monotonic() - killed_at < 15 and read_run(follower, TrainingRun).state.is_active
        )
    tally.note(
        "R10",
        "kill -9 of a training torch worker: shown dead at once, the next job runs",
        good,
        times,
    )


def test_a_full_disk_ends_a_training_and_harms_nothing(
    runs: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLIMIT_FSIZE, set while it trains, is less than its files of weights or states."""
    monkeypatch.setattr(disk_space, "MARGIN", 0)
    times, good, chance = 10, 0, random.Random(10)
    for number in range(times):
        run_dir = launch_training(runs, small(epochs=2, seed=number % 3))
        pid = pid_of(run_dir)
        limit_files(pid, chance.randrange(100_000, 590_000))
        run = wait_for(run_dir, *ENDS, kind=TrainingRun)
        named = run.state is RunState.FAILED and "is full" in run.reason
        resume_run(run)
        wait_for(run_dir, RunState.COMPLETED)
        good += named and [e.epoch for e in read_metrics(run_dir / "metrics.jsonl").epochs] == [
            1,
            2,
        ]
    tally.note("R15", "a torch worker whose files cannot grow: reported, resumed", good, times)


def limit_files(pid: int, size: int) -> None:
    """From now on no file of that process may become larger."""
    import psutil

    psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (size, size))


def test_what_ends_a_training_is_named(runs: Path, tally: Tally) -> None:
    times, good = 30, 0
    for number in range(times):
        if number % 2:
            config = small(lr=100, weight_decay=10, schedule="constant", epochs=20)
            run = wait_for(launch_training(runs, config), *ENDS, kind=TrainingRun)
            good += run.state is RunState.FAILED and "diverged" in run.reason
            continue
        run_dir = launch_training(runs, small(epochs=2000))
        wait_until_training(run_dir)
        note_memory(run_dir / "memory.json", Memory(left=50_000_000, total=10**10))
        os.kill(pid_of(run_dir), signal.SIGKILL)
        good += "50 MB of 10,000 MB" in wait_for(run_dir, RunState.INTERRUPTED).reason
    tally.note("R9", "a torch run that diverges or runs out of memory: cause reported", good, times)


def test_an_extended_run_is_the_longer_run(runs: Path, tally: Tally) -> None:
    """Where the schedule does not depend on the length; else it follows the longer one's."""
    times, good = 6, 0
    for number in range(times):
        config = small(schedule="constant", lr=0.02, seed=number, ema=0.5 * (number % 2))
        longer = launch_training(runs, config.model_copy(update={"epochs": 5}))
        short = wait_for(launch_training(runs, config), RunState.COMPLETED, kind=TrainingRun)
        extended = extend_run(short, 5)
        wait_for(longer, RunState.COMPLETED)
        wait_for(extended, RunState.COMPLETED)
        good += are_twins(extended, longer)
        assert len(list_checkpoints(short.path, "last")) == 2
    tally.note(
        "R19", "2 epochs extended to 5 as a new run: identical to 5 from the start", good, times
    )
