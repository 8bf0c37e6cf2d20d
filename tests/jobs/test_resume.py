"""Resume, with real workers: what was stopped or killed goes on as if nothing had happened."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.errors import RunError
from cifar_core.evaluation.history import load_history
from cifar_core.jobs import launch
from cifar_core.jobs.launch import launch_training, resume_run
from cifar_core.records.records import EpochRecord, Metrics, read_metrics
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun, read_run
from cifar_core.system.process_identity import find_process
from tests.forked_workers import ForkServer
from tests.real_jobs import rewrite, small, wait_for, wait_until_training
from tests.waiting import LIMIT_S, wait_until

TIMES = {"images_per_s": 0.0, "train_s": 0.0, "eval_s": 0.0, "elapsed_s": 0.0}
LONGER: dict[str, Any] = {"train_size": 1024, "epochs": 4, "ema": 0.9, "augment": "cutout"}


def metrics_of(run_dir: Path) -> Metrics:
    return read_metrics(run_dir / "metrics.jsonl")


def figures(run_dir: Path) -> list[dict[str, Any]]:
    """Of the epochs, the times left out."""
    return [{**asdict(epoch), **TIMES} for epoch in metrics_of(run_dir).epochs]


def steps_in_events(run_dir: Path) -> dict[str, list[int]]:
    """The steps that TensorBoard shows of a run, by kind."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sizes = {"scalars": 0, "images": 0, "histograms": 0}
    events = EventAccumulator(str(run_dir / "tensorboard"), size_guidance=sizes).Reload()
    assert events.Tags()["graph"]
    shown = {
        "steps": events.Scalars("step/loss"),
        "augmented": events.Images("images/augmented"),
        "errors": events.Images("images/errors"),
        "weights": events.Histograms("weights/fc.weight"),
    }
    return {kind: [event.step for event in written] for kind, written in shown.items()}


def weights(run_dir: Path, role: str) -> dict[str, torch.Tensor]:
    return load_file(find_checkpoint(run_dir, role).path / "weights.safetensors")


def wait_for_epochs(run_dir: Path, count: int) -> None:
    wait_until(
        lambda: len(metrics_of(run_dir).epochs) >= count,
        lambda: (run_dir / "worker.log").read_text(),
    )


def kill(run_dir: Path) -> Run:
    """Ends the worker as a power cut would."""
    process = find_process(read_run(run_dir, TrainingRun).status.worker)
    assert process is not None
    process.kill()
    process.wait(LIMIT_S)
    return wait_for(run_dir, RunState.INTERRUPTED)


def resume(run_dir: Path) -> Run:
    resume_run(read_run(run_dir, TrainingRun))
    assert read_run(run_dir, TrainingRun).state.is_active
    return wait_for(run_dir, RunState.COMPLETED)


@pytest.fixture(scope="module")
def undisturbed(
    shared_cache: Path, tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer
) -> Path:
    """The run that nothing happens to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "spawn", fork_server.spawn)
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        run_dir = launch_training(tmp_path_factory.mktemp("twin"), small(**LONGER))
        wait_for(run_dir, RunState.COMPLETED)
    return run_dir


def assert_twins(run_dir: Path, undisturbed: Path) -> None:
    """The same figures and predictions of every epoch once, the same weights, bit for bit."""
    assert figures(run_dir) == figures(undisturbed)
    for role in ("last", "best"):
        theirs = weights(undisturbed, role)
        for name, value in weights(run_dir, role).items():
            assert torch.equal(value, theirs[name]), (role, name)
    ours, others = (load_history(read_run(path, TrainingRun)) for path in (run_dir, undisturbed))
    assert ours.epochs.tolist() == others.epochs.tolist() == list(range(1, LONGER["epochs"] + 1))
    assert np.array_equal(ours.losses, others.losses)
    ours, others = read_run(run_dir, TrainingRun).status, read_run(undisturbed, TrainingRun).status
    for role in ("best", "last"):
        assert replace(getattr(ours, role), **TIMES) == replace(getattr(others, role), **TIMES)


def test_killed_in_mid_epoch_twice_it_ends_as_its_undisturbed_twin(
    undisturbed: Path, runs: Path
) -> None:
    run_dir = launch_training(runs, small(**LONGER, tensorboard=True))
    wait_until_training(run_dir)
    kill(run_dir)  # before its first checkpoint
    resume_run(read_run(run_dir, TrainingRun))
    wait_for_epochs(run_dir, 2)
    kill(run_dir)
    resume(run_dir)
    assert_twins(run_dir, undisturbed)
    resumes = metrics_of(run_dir).resumes
    assert resumes[0].step == 0
    assert resumes[1].step > 0
    assert {r.note for r in resumes} == {""}
    metrics = metrics_of(run_dir)
    ends = {epoch.epoch: epoch.step for epoch in metrics.epochs}
    config = read_run(run_dir, TrainingRun).config
    assert steps_in_events(run_dir) == {
        "steps": metrics.steps.column("step").tolist(),
        "augmented": [ends[epoch] for epoch in config.checkpoint_epochs],
        "errors": [ends[config.epochs]],
        "weights": list(ends.values()),
    }


def test_stopped_and_resumed_it_ends_as_its_undisturbed_twin(undisturbed: Path, runs: Path) -> None:
    run_dir = launch_training(runs, small(**LONGER))
    wait_for_epochs(run_dir, 1)
    request_stop(read_run(run_dir, TrainingRun))
    stopped = wait_for(run_dir, RunState.STOPPED)
    assert find_checkpoint(run_dir, "last").step > 0
    resume(run_dir)
    assert_twins(run_dir, undisturbed)
    assert read_run(run_dir, TrainingRun).created == stopped.created


def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(
    undisturbed: Path, runs: Path
) -> None:
    run_dir = launch_training(runs, small(**LONGER))
    wait_for_epochs(run_dir, 3)
    kill(run_dir)
    newest = find_checkpoint(run_dir, "last")
    path = newest.path / "state.pt"
    path.write_bytes(path.read_bytes()[:-100])
    resume(run_dir)
    assert metrics_of(run_dir).resumes[0].step < newest.step
    assert_twins(run_dir, undisturbed)


def test_a_failed_run_that_found_its_data_again_goes_on(copied: Path) -> None:
    rewrite(copied, "status.json", outcome="failed", reason="its disk was away")
    run = resume(copied)
    assert run.reason == ""
    assert [e.epoch for e in metrics_of(copied).epochs] == [1, 2]


def test_what_completed_or_runs_is_not_resumed(copied: Path, runs: Path) -> None:
    with pytest.raises(RunError, match=r"first is completed\. Only a stopped"):
        resume_run(read_run(copied, TrainingRun))
    assert not (copied / "resume.json").exists()
    run_dir = launch_training(runs, small(epochs=200))
    with pytest.raises(RunError, match="Only a stopped, failed or interrupted run can be resumed"):
        resume_run(read_run(run_dir, TrainingRun))
    kill_when_there(run_dir)


def kill_when_there(run_dir: Path) -> None:
    wait_until_training(run_dir)
    kill(run_dir)


def test_two_clicks_on_resume_train_once(runs: Path, undisturbed: Path) -> None:
    run_dir = launch_training(runs, small(**LONGER))
    wait_for_epochs(run_dir, 1)
    kill(run_dir)
    as_seen_by_both = read_run(run_dir, TrainingRun)
    resume_run(as_seen_by_both)
    resume_run(as_seen_by_both)  # another process, which has not seen the first click
    wait_for(run_dir, RunState.COMPLETED)
    wait_until(lambda: not workers_of(run_dir))
    assert len(metrics_of(run_dir).resumes) == 1
    assert_twins(run_dir, undisturbed)


def workers_of(run_dir: Path) -> list[psutil.Process]:
    """The processes whose output goes to the run's log."""
    log = str(run_dir / "worker.log")
    return [
        process
        for process in psutil.process_iter(["open_files"])
        if log in [file.path for file in process.info["open_files"] or []]
    ]


def test_half_a_line_of_a_killed_worker_costs_only_itself(copied: Path) -> None:
    path = copied / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    rewrite(copied, "status.json", outcome="failed")
    resume(copied)
    metrics = metrics_of(copied)
    assert metrics.damaged == 1
    assert all(isinstance(epoch, EpochRecord) for epoch in metrics.epochs)
