"""The checkpoint that a training starts from, and which images that has been trained on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, read_checkpoint, verified
from cifar_core.config.train import TrainConfig
from cifar_core.data.dataset import Dataset, split_indices
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.errors import CifarCoreError, ConfigError, RunError
from cifar_core.records import layout
from cifar_core.runs.requests import TrainRequest
from cifar_core.runs.store import TrainingRun, find_run, read_run
from cifar_core.system.paths import user_path


def starting_weights(root: Path, config: TrainConfig) -> Checkpoint:
    """The checkpoint that `config.weights` names.

    Raises:
        CifarCoreError: if there is none, or it is damaged or of another model.
    """
    checkpoint = _named_checkpoint(root, config.weights)
    if checkpoint.manifest.model != config.model:
        raise ConfigError(
            f"weights = {config.weights!r} are those of a {checkpoint.manifest.model}, not of a "
            f"{config.model}. Choose weights of the same model."
        )
    for file in checkpoint.weight_files:
        verified(checkpoint, file)
    return checkpoint


def _named_checkpoint(root: Path, text: str) -> Checkpoint:
    """The checkpoint of that folder, or the best one of that run; its files are not looked at."""
    folder = user_path(text)
    if (folder / layout.MANIFEST).is_file():
        return read_checkpoint(folder)
    if (folder / layout.REQUEST).is_file():
        return find_checkpoint(folder, "best")
    if folder.exists() and len(Path(text).parts) > 1:
        raise ConfigError(
            f"weights = {text!r} is no checkpoint of a training run: it has no "
            f"{layout.MANIFEST}. Give the name or id of a run, or the folder of one of its "
            "checkpoints; files of other programs cannot be read yet."
        )
    return find_checkpoint(find_run(root, text, TrainingRun).path, "best")


def num_seen(config: TrainConfig) -> int | None:
    """How many of the validation images the starting weights were trained on.

    The runs that the weights come from are followed to the first one.

    Args:
        config: Whose `weights`, if any, are the folder of a checkpoint.

    Returns:
        None if it cannot be known: the data are not there yet, or one of those runs is gone.
    """
    if not config.weights or not config.val_size:
        return 0
    if not is_ready(config.data):
        return None
    data = open_dataset(config.data)
    num_images = len(data.train)
    held_out = split_indices(num_images, config.val_size, config.train_size, config.seed)[1]
    seen = _trained_on(Path(config.weights), data)
    return None if seen is None else int(seen[held_out].sum())


def _trained_on(weights: Path, data: Dataset) -> NDArray[np.bool_] | None:
    """(N,) whether a checkpoint was trained on each training image; None if that is not known."""
    seen, followed = np.zeros(len(data.train), np.bool_), set[Path]()
    while weights not in followed:
        followed.add(weights)
        try:
            run = read_run(weights.parent, TrainingRun)
        except RunError:
            return None
        config = run.config
        if (run.status.fingerprint or run.request.fingerprint) == data.fingerprint:
            size = len(data.train)
            seen[split_indices(size, config.val_size, config.train_size, config.seed)[0]] = True
        if not config.weights:
            return seen
        weights = Path(config.weights)
    return None


def overlap_warning(config: TrainConfig, seen: int | None) -> str:
    """What `num_seen` means for the validation accuracy, in a sentence; empty if it is nothing.

    Args:
        config: As `num_seen` takes it.
    """
    if not config.weights or not config.val_size or seen == 0:
        return ""
    if seen is None:
        return (
            "It is not known on which images the starting weights were trained. If the validation "
            "images are among them, the validation accuracy is too high."
        )
    text = (
        f"{seen:,} of the {config.val_size:,} validation images were training images of the "
        "starting weights: the validation accuracy is too high, and so is the basis for choosing "
        "the best epoch."
    )
    try:
        before = read_run(Path(config.weights).parent, TrainingRun).config
    except RunError:
        return text
    same = {"seed": before.seed, "val_size": before.val_size}
    if num_seen(config.model_copy(update=same)) == 0:
        values = ", ".join(f"{name} = {value}" for name, value in same.items())
        text += f" With {values}, the same images are held out as then."
    return text


def form_warning(root: Path, config: TrainConfig) -> str:
    """`overlap_warning` of a config before it is launched; empty if its weights are not there.

    Called at every rerun of a form, so the weights themselves are not read.
    """
    if not config.weights:
        return ""
    try:
        weights = str(_named_checkpoint(root, config.weights).path.absolute())
    except CifarCoreError:
        return ""
    known = config.model_copy(update={"weights": weights})
    return overlap_warning(known, num_seen(known))


def run_warning(request: TrainRequest) -> str:
    """`overlap_warning` of a run, as it was known when the run was launched."""
    return overlap_warning(request.config, request.val_seen)
