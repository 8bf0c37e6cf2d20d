"""Runs that begin with what another one has: its weights alone, or all of it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cifar_core.checkpoints.checkpoint import find_checkpoint, list_checkpoints
from cifar_core.config.train import make_config
from cifar_core.data import Dataset
from cifar_core.errors import CheckpointError, CifarCoreError, RunError
from cifar_core.evaluation.history import load_history
from cifar_core.jobs.launch import extend_run, launch_training
from cifar_core.records.records import read_metrics
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from cifar_core.training.checkpointing import save_checkpoint
from cifar_core.training.state import TrainState
from tests.builders import SAVED, config_of, set_up, state_at
from tests.real_jobs import ended_run, rewrite, small, wait_for


def weights_of(run_dir: Path, role: str) -> dict[str, torch.Tensor]:
    return load_file(find_checkpoint(run_dir, role).path / "weights.safetensors")


def test_a_run_begins_with_the_weights_of_another(tiny: Dataset, tmp_path: Path) -> None:
    other = state_at(ema=0.9)
    checkpoint = save_checkpoint(tmp_path, "best", other, *SAVED)
    state, batches = set_up(config_of(weights=str(checkpoint.path), ema=0.5), tiny)
    expected = other.eval_model.state_dict()
    for model in (state.model, state.eval_model):
        assert all(torch.equal(expected[n], v) for n, v in model.state_dict().items())
    assert (state.step, state.epoch, dict(state.optimizer.state)) == (0, 0, {})
    random = TrainState(config_of(), batches, batches.runtime).model.state_dict()
    assert not all(torch.equal(expected[n], v) for n, v in random.items())


@pytest.mark.parametrize("model", ["speednet", "sepnet_v1"])
def test_weights_that_do_not_fit_are_refused(tiny: Dataset, tmp_path: Path, model: str) -> None:
    checkpoint = save_checkpoint(tmp_path, "best", state_at(), *SAVED)
    with pytest.raises(CheckpointError, match="has the weights of a convnet"):
        set_up(config_of(model=model, weights=str(checkpoint.path)), tiny)
    with pytest.raises(CheckpointError, match="is not a complete checkpoint"):
        set_up(config_of(weights=str(tmp_path)), tiny)


def test_a_training_starts_from_a_run_by_name(copied: Path, runs: Path) -> None:
    run_dir = launch_training(runs, small(weights="first", lr=1e-6, epochs=1, weight_decay=0))
    run = wait_for(run_dir, RunState.COMPLETED, kind=TrainingRun)
    assert run.config.weights == str(find_checkpoint(copied, "best").path)
    before, after = weights_of(copied, "best"), weights_of(run_dir, "last")
    for name in before:
        if "running" not in name and "batches" not in name:
            torch.testing.assert_close(after[name], before[name], atol=1e-4, rtol=0)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such run": ({"weights": "nobody"}, "There is no run 'nobody'"),
    "another model": ({"weights": "first", "model": "sepnet_v1"}, "are those of a convnet, not"),
    "no checkpoint": ({"weights": "empty"}, "There is no checkpoint 'best'"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_start_from_weights_that_will_not_do_is_refused(
    copied: Path, runs: Path, why: str
) -> None:
    ended_run(runs, "empty")
    changes, sentence = REFUSED[why]
    with pytest.raises(CifarCoreError, match=sentence):
        launch_training(runs, small(**changes))
    assert len(list_runs(runs)) == 2


def test_damaged_weights_are_refused_at_the_start(copied: Path, runs: Path) -> None:
    file = find_checkpoint(copied, "best").path / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is damaged"):
        launch_training(runs, small(weights="first"))


def test_a_longer_run_begins_with_all_of_the_shorter_one(copied: Path, runs: Path) -> None:
    run = read_run(copied, TrainingRun)
    longer = extend_run(run, 3, "longer")
    (copied / "metrics.jsonl").unlink()
    for checkpoint in list_checkpoints(copied):
        for file in checkpoint.path.iterdir():
            file.unlink()  # the new one depends on nothing of the old one
    for file in epoch_files(copied):
        file.unlink()
    done = wait_for(longer, RunState.COMPLETED, kind=TrainingRun)
    metrics = read_metrics(longer / "metrics.jsonl")
    assert [e.epoch for e in metrics.epochs] == [1, 2, 3]
    assert load_history(done).epochs.tolist() == [1, 2, 3]
    assert [(r.epoch, r.step) for r in metrics.resumes] == [(3, metrics.epochs[1].step)]
    assert (done.name, done.status.best.epoch) == (
        "longer",
        metrics.best and metrics.best.epoch,
    )
    assert {c.epoch for c in list_checkpoints(longer, "epoch")} == {1, 2, 3}


def test_what_cannot_be_extended_is_told(copied: Path, runs: Path) -> None:
    run = read_run(copied, TrainingRun)
    with pytest.raises(CifarCoreError, match="epochs = 2 is not accepted: first already has 2"):
        extend_run(run, 2)
    rewrite(copied, "status.json", outcome="stopped")
    with pytest.raises(RunError, match=r"first is stopped\. Only a completed"):
        extend_run(read_run(copied, TrainingRun), 5)
    bare = read_run(ended_run(runs, "bare"), TrainingRun)
    with pytest.raises(CheckpointError, match="no checkpoint 'last'"):
        extend_run(bare, 500)
    assert len(list_runs(runs)) == 2


@pytest.mark.parametrize(
    ("epochs", "keep", "kept"),
    [
        (20, 6, (1, 2, 3, 6, 11, 20)),
        (200, 6, (1, 3, 8, 24, 69, 200)),
        (3, 6, (1, 2, 3)),
        (20, 1, (20,)),
        (20, 2, (1, 20)),
        (20, 0, ()),
        (1, 6, (1,)),
    ],
)
def test_epochs_are_kept_closer_together_at_first(
    epochs: int, keep: int, kept: tuple[int, ...]
) -> None:
    assert make_config({"epochs": epochs, "keep_epochs": keep}).checkpoint_epochs == kept
