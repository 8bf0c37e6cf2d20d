"""Predictions are read where they are: of an evaluation, else of the epoch that training kept."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, list_checkpoints
from cifar_core.errors import CheckpointError
from cifar_core.evaluation.available import available_file, load_predictions
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.history import epoch_file
from cifar_core.evaluation.predictions import predictions_path, write_predictions
from cifar_core.evaluation.predictor import Predictor
from cifar_core.runs.store import TrainingRun, read_run


def run_and_last(run_dir: Path) -> tuple[TrainingRun, Checkpoint]:
    return read_run(run_dir, TrainingRun), find_checkpoint(run_dir, "last")


def test_every_checkpoint_of_an_epoch_has_the_predictions_that_its_weights_give(
    finished: Path,
) -> None:
    run = read_run(finished, TrainingRun)
    checkpoints = list_checkpoints(finished)
    assert {checkpoint.role for checkpoint in checkpoints} >= {"last", "best"}
    for checkpoint in checkpoints:
        assert available_file(run, checkpoint) == epoch_file(finished, checkpoint.epoch)
        kept = load_predictions(run, checkpoint.name)
        again = Predictor(checkpoint, run.config)(kept.examples.pixels(np.arange(200)))
        assert np.abs(np.exp(again) - np.exp(kept.log_probs[:200])).max() < 2e-3, checkpoint.name
        assert kept.acc == pytest.approx(checkpoint.manifest.figures.test_acc, abs=1e-6)


def test_an_evaluation_comes_before_what_training_kept(copied: Path) -> None:
    run, last = run_and_last(copied)
    kept = load_predictions(run, last.name)
    note = PredictionsNote.of(run.run_id, last, "test", flip=False)
    path = predictions_path(copied, last.name, "test")
    write_predictions(path, np.roll(kept.log_probs, 1, axis=1), note)
    assert available_file(run, last) == path.with_suffix(".json")
    evaluated = load_predictions(run, last.name)
    assert np.array_equal(evaluated.predicted, (kept.predicted + 1) % 10)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="is damaged"):  # never replaced in silence
        load_predictions(run, last.name)


@pytest.mark.parametrize(("split", "flip"), [("val", False), ("train", False), ("test", True)])
def test_other_images_and_tta_have_to_be_evaluated(finished: Path, split: str, flip: bool) -> None:
    run, last = run_and_last(finished)
    assert available_file(run, last, split, flip) is None
    with pytest.raises(CheckpointError, match="was not evaluated yet"):
        load_predictions(run, last.name, split, flip)


def of_other_weights(run_dir: Path, epoch: Path) -> None:
    shutil.copy(epoch_file(run_dir, 1), epoch)


def damaged(run_dir: Path, epoch: Path) -> None:
    epoch.write_bytes(epoch.read_bytes()[:-100])


@pytest.mark.parametrize("change", [of_other_weights, damaged])
def test_an_epoch_that_is_not_the_checkpoints_is_as_good_as_none(
    copied: Path, change: Callable[[Path, Path], None]
) -> None:
    """As after a resume on a GPU that trained the epoch of a lost checkpoint once more."""
    run, last = run_and_last(copied)
    change(copied, epoch_file(copied, last.epoch))
    with pytest.raises(CheckpointError, match=r"was not evaluated yet.*evaluate RUN"):
        load_predictions(run, last.name)
    epoch_file(copied, last.epoch).unlink()
    assert available_file(run, last) is None
