"""Predictions that are there already: of an evaluation, or of the test images after an epoch."""

import contextlib
from pathlib import Path

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint
from cifar_core.data.store import open_dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.history import epoch_file, epoch_predictions
from cifar_core.evaluation.predictions import (
    Predictions,
    eval_split,
    find_predictions,
    has_predictions,
    read_predictions,
)
from cifar_core.runs.store import TrainingRun


def available_file(
    run: TrainingRun, checkpoint: Checkpoint, split: str = "test", flip: bool = False
) -> Path | None:
    """The file that says which predictions of a checkpoint are there; None if it must be evaluated.

    It is the one that is written last. An evaluation comes first. Without one, training has kept
    what it predicted of the test images after the checkpoint's epoch; a checkpoint within an epoch
    has none.
    """
    path = find_predictions(run, checkpoint.name, split, flip)
    if has_predictions(path):
        return path.with_suffix(".json")
    if split != "test" or flip or checkpoint.manifest.figures is None:
        return None
    kept = epoch_file(run.path, checkpoint.epoch)
    return kept if kept.is_file() else None


def load_predictions(
    run: TrainingRun, checkpoint: str = "best", split: str = "test", flip: bool = False
) -> Predictions:
    """Predictions of a run's checkpoint on a split, without computing any.

    Raises:
        CifarCoreError: if run, checkpoint, split or data are missing, or it was not evaluated yet.
    """
    chosen = find_checkpoint(run.path, checkpoint)
    if available_file(run, chosen, split, flip) == epoch_file(run.path, chosen.epoch):
        with contextlib.suppress(RunError):  # damaged, or of other data: as good as none
            return epoch_predictions(run, chosen)
    examples = eval_split(open_dataset(run.config.data), run.config, split)
    return read_predictions(find_predictions(run, chosen.name, split, flip), examples, chosen)
