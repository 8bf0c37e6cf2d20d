"""The worker as a real process: how it ends, what it leaves, what is said of it."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch

from cifar_core.checkpoints.checkpoint import list_checkpoints, load_model
from cifar_core.config.train import TrainConfig
from cifar_core.data import open_dataset
from cifar_core.errors import RunError
from cifar_core.jobs.launch import launch_training, start_worker
from cifar_core.jobs.queue import queue_position
from cifar_core.jobs.worker import trim_log
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.files import read_json, write_json
from cifar_core.system.runtime import choose_runtime
from cifar_core.training.inference import log_probabilities, score
from tests.real_jobs import ENDLESS, small, wait_for, wait_until_training
from tests.waiting import wait_until

ENDED = (RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


def endless(**changes: object) -> TrainConfig:
    return small(**{**ENDLESS, **changes})


def test_a_completed_run_has_each_epoch_once_and_its_best(finished: Path) -> None:
    run, metrics = read_run(finished, TrainingRun), read_metrics(finished / "metrics.jsonl")
    assert run.state is RunState.COMPLETED
    assert [e.epoch for e in metrics.epochs] == [1, 2]
    assert metrics.best is not None
    assert run.status.best.epoch == metrics.best.epoch
    assert run.best_acc == metrics.best.val_acc
    assert run.status.data_title == "Shapes-10"
    assert run.status.runtime.device_reason
    assert {"torch", "python"} <= set(run.status.versions)
    assert log_tail(run.path) == ""


def test_the_best_checkpoint_scores_what_the_curve_says(finished: Path) -> None:
    (best,) = list_checkpoints(finished, "best")
    data, runtime = open_dataset("shapes10"), choose_runtime()
    mean, std = (torch.tensor(values) for values in (best.manifest.mean, best.manifest.std))
    model = load_model(best).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
    images, labels = torch.tensor(data.test.images), torch.tensor(data.test.labels)
    parts = list(log_probabilities(model, images, mean, std, runtime))
    found = score(torch.cat(parts), labels)
    assert found.acc == pytest.approx(best.manifest.figures.test_acc, abs=1e-9)
    assert found.loss == pytest.approx(best.manifest.figures.test_loss, abs=1e-6)


def test_stop_finishes_the_batch_and_keeps_a_checkpoint(runs: Path) -> None:
    run_dir = launch_training(runs, endless())
    wait_until_training(run_dir)
    run = read_run(run_dir, TrainingRun)
    assert run.state is RunState.RUNNING
    request_stop(run)
    request_stop(run)  # a second one is harmless
    stopped = wait_for(run_dir, *ENDED)
    assert stopped.state is RunState.STOPPED
    last = list_checkpoints(run_dir, "last")[-1]
    metrics = read_metrics(run_dir / "metrics.jsonl")
    assert last.step >= max(record.step for record in (*metrics.steps, *metrics.epochs))
    assert "state.pt" in last.manifest.sha256
    with pytest.raises(RunError, match="is not running"):
        request_stop(stopped)


def test_kill_is_shown_as_interrupted(runs: Path) -> None:
    run_dir = launch_training(runs, endless())
    wait_until_training(run_dir)
    os.kill(read_run(run_dir, TrainingRun).status.worker.pid, signal.SIGKILL)
    run = wait_for(run_dir, *ENDED)
    assert run.state is RunState.INTERRUPTED
    assert "disappeared" in run.reason


def test_sigterm_is_recorded_and_a_checkpoint_kept(runs: Path) -> None:
    run_dir = launch_training(runs, endless())
    wait_until_training(run_dir)
    os.kill(read_run(run_dir, TrainingRun).status.worker.pid, signal.SIGTERM)
    run = wait_for(run_dir, *ENDED)
    assert run.state is RunState.FAILED
    assert "SIGTERM" in run.reason
    assert list_checkpoints(run_dir, "last")


def test_a_crash_is_shown_with_its_traceback(copied: Path) -> None:
    shutil.rmtree(copied / "tensorboard")
    (copied / "tensorboard").write_text("a file in the way of its folder")
    (copied / "status.json").unlink()
    start_worker(copied)
    run = wait_for(copied, RunState.FAILED)
    assert "Error" in run.reason
    assert "Traceback" in run.status.traceback
    assert "Traceback" in log_tail(run.path)


def test_a_loss_that_is_no_number_ends_the_run_with_the_reason(runs: Path) -> None:
    config = small(lr=100, weight_decay=10, schedule="constant", epochs=20)
    run_dir = launch_training(runs, config)
    run = wait_for(run_dir, *ENDED)
    assert run.state is RunState.FAILED
    assert "diverged" in run.reason
    assert "lower lr" in run.reason


def test_other_data_than_at_the_start_is_refused(copied: Path) -> None:
    request = read_json(copied / "request.json") or {}
    write_json(copied / "request.json", {**request, "fingerprint": "0" * 32})
    (copied / "status.json").unlink()
    start_worker(copied)
    run = wait_for(copied, RunState.FAILED)
    assert "is not the data this run was started with" in run.reason


def test_runs_wait_for_the_device_in_order_and_can_be_taken_out(runs: Path) -> None:
    first = launch_training(runs, endless())
    wait_for(first, RunState.RUNNING)
    second = launch_training(runs, small(epochs=1))
    third = launch_training(runs, small(epochs=1))
    for waiting in (second, third):
        wait_for(waiting, RunState.QUEUED)
    assert (queue_position(second), queue_position(third)) == (0, 1)
    request_stop(read_run(third, TrainingRun))
    assert wait_for(third, *ENDED).state is RunState.STOPPED
    assert read_run(second, TrainingRun).state is RunState.QUEUED
    request_stop(read_run(first, TrainingRun))
    assert wait_for(second, *ENDED).state is RunState.COMPLETED


@pytest.mark.own_process
def test_a_queued_worker_has_not_imported_torch(runs: Path) -> None:
    import psutil

    first = launch_training(runs, endless())
    wait_for(first, RunState.RUNNING)
    second = wait_for(launch_training(runs, small()), RunState.QUEUED)
    worker = wait_until(lambda: read_run(second.path).status.worker)
    maps = {m.path for m in psutil.Process(worker.pid).memory_maps()}
    assert not any("libtorch" in path for path in maps)
    for run_dir in (second.path, first):
        request_stop(read_run(run_dir, TrainingRun))
        wait_for(run_dir, *ENDED)


def test_a_long_log_keeps_its_end(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab") as writer:  # open while it is trimmed, as a worker's is
        writer.write(b"early\n" * 1000)
        writer.flush()
        trim_log(log, limit=1000, keep=100)
        writer.write(b"the last line\n")
    text = log.read_text()
    assert len(text) < 200
    assert text.startswith("[earlier lines were dropped]")
    assert text.endswith("early\nthe last line\n")


def test_metrics_are_whole_lines_of_json(finished: Path) -> None:
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    assert {json.loads(line)["kind"] for line in lines} <= {"step", "epoch"}
