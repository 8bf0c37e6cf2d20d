"""Cached loaders for evaluation and Grad-CAM, all bounded; `cache` has those of data and runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint, load_model, read_checkpoint
from cifar_core.evaluation.augmentation_effect import Effect, load_effect
from cifar_core.evaluation.features import principal, read_values, values_path
from cifar_core.evaluation.history import History, load_history, probabilities_over_epochs
from cifar_core.evaluation.label_issues import find_label_issues
from cifar_core.evaluation.predictions import Predictions, load_predictions, predictions_path
from cifar_core.explain.comparisons import View, untrained
from cifar_core.explain.cost import forward_s
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.explain.layers import TargetLayer, list_layers
from cifar_core.explain.maps import compute_cams
from cifar_core.explain.road import Ranking, load_ranking
from cifar_core.runs.store import TrainingRun, epoch_files, read_run

if TYPE_CHECKING:
    from torch import nn


@st.cache_resource(max_entries=12, show_spinner=False)
def _table(
    path: str, checkpoint: str, weights: str, split: str, flip: bool, written_at: int
) -> Predictions:
    return load_predictions(read_run(Path(path), TrainingRun), checkpoint, split, flip)


def table(run: TrainingRun, checkpoint: Checkpoint, split: str, flip: bool = False) -> Predictions:
    """The table of a checkpoint on a split, shared between sessions.

    Raises:
        CifarCoreError: as `load_table`.
    """
    name, weights = checkpoint.name, checkpoint.weights_sha256
    written_at = _written_at(predictions_path(run.path, name, split, flip).with_suffix(".json"))
    return _table(str(run.path), name, weights, split, flip, written_at)


@st.cache_resource(max_entries=4, show_spinner=False)
def effect(job: Path) -> Effect:
    """The result of a completed augmentation effect job; its folder never changes."""
    return load_effect(job)


@st.cache_resource(max_entries=3, show_spinner="Loading model …")
def _model(path: str, weights: str) -> "nn.Module":
    return load_model(read_checkpoint(Path(path)))


def model(checkpoint: Checkpoint) -> "nn.Module":
    """The model of a checkpoint, in eval mode on the CPU, shared between sessions: read-only."""
    return _model(str(checkpoint.path), checkpoint.weights_sha256)


@st.cache_resource(max_entries=3, show_spinner=False)
def _layers(path: str, weights: str) -> list[TargetLayer]:
    return list_layers(_model(path, weights))


def layers(checkpoint: Checkpoint) -> list[TargetLayer]:
    """The layers of a checkpoint's model that Grad-CAM can use."""
    return _layers(str(checkpoint.path), checkpoint.weights_sha256)


@st.cache_data(max_entries=128, show_spinner="Computing maps …")
def _maps(
    path: str,
    weights: str,
    pixels: NDArray[np.uint8],
    layer: str,
    targets: tuple[Target, ...],
    method: str,
    use_untrained: bool = False,
) -> CamMaps:
    checkpoint = read_checkpoint(Path(path))
    model = (
        untrained(read_run(checkpoint.path.parent, TrainingRun))
        if use_untrained
        else _model(path, weights)
    )
    return compute_cams(model, checkpoint, pixels, layer, targets, method)


def maps(
    checkpoint: Checkpoint,
    pixels: NDArray[np.uint8],
    layer: str,
    targets: tuple[Target, ...],
    method: str,
) -> CamMaps:
    """Maps of (N, 32, 32, 3) images; changing the opacity does not recompute them.

    Raises:
        ConfigError: as `compute_cams`.
    """
    path = str(checkpoint.path)
    return _maps(path, checkpoint.weights_sha256, pixels, layer, targets, method)


def view_map(view: View, pixels: NDArray[np.uint8]) -> CamMaps:
    """The map of one (32, 32, 3) image for a view.

    Raises:
        CifarCoreError: as `compute_cams`, or if its checkpoint is damaged.
    """
    path, weights = str(view.checkpoint.path), view.checkpoint.weights_sha256
    args = (pixels[None], view.layer, (view.asked,), view.method, view.untrained)
    return _maps(path, weights, *args)


@st.cache_resource(max_entries=16, show_spinner=False)
def _forward_s(path: str, weights: str) -> float:
    return forward_s(_model(path, weights))


def pass_s(checkpoint: Checkpoint) -> float:
    """Seconds per forward pass of one image on this machine, measured once."""
    return _forward_s(str(checkpoint.path), checkpoint.weights_sha256)


@st.cache_resource(max_entries=3, show_spinner="Loading epochs …")
def _history(path: str, num_epochs: int, written_at: int) -> History:
    return load_history(read_run(Path(path), TrainingRun))


def history(run: TrainingRun) -> History | None:
    """A run's per-epoch test predictions, shared between sessions; None if they were not saved.

    Raises:
        CifarCoreError: as `load_history`.
    """
    paths = epoch_files(run.path)
    return _history(str(run.path), len(paths), _written_at(paths[-1])) if paths else None


def _written_at(path: Path) -> int:
    """A file's modification time in ns; 0 if there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(max_entries=64, show_spinner=False)
def _learning_summary(
    path: str, written_at: int, row: int, _run: TrainingRun, _history: History
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return probabilities_over_epochs(_run, _history.examples, row)


def learning_summary(
    run: TrainingRun, history: History, row: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(E,) epochs and (E, K) probabilities of a test image after each of them."""
    written_at = max((_written_at(path) for path in epoch_files(run.path)[-1:]), default=0)
    return _learning_summary(f"{run.path} {len(history.epochs)}", written_at, row, run, history)


@st.cache_data(max_entries=12, show_spinner=False)
def _doubted(weights: str, split: str, flip: bool, _table: Predictions) -> NDArray[np.int64]:
    return find_label_issues(_table)


def doubted(table: Predictions) -> NDArray[np.int64]:
    """Rows with a possible label error; see `find_label_issues`."""
    flip = table.note.flip
    return _doubted(table.note.weights, table.examples.split, flip, table)


@st.cache_resource(max_entries=2, show_spinner=False)
def _features(
    path: str, written_at: int, _run: TrainingRun, _table: Predictions
) -> NDArray[np.float32]:
    return read_values(_run.path, _table.checkpoint, _table.examples, "features")


def features(run: TrainingRun, table: Predictions) -> NDArray[np.float32]:
    """(N, D) features of the images of a table.

    Raises:
        CheckpointError: as `read_values`.
    """
    path = values_path(run.path, table.checkpoint.name, table.examples.split, "features")
    key = f"{path} {table.note.weights}"
    return _features(key, _written_at(path), run, table)


@st.cache_data(max_entries=8, show_spinner="Computing projection …")
def _principal(weights: str, split: str, _features: NDArray[np.float32]) -> NDArray[np.float32]:
    return principal(_features)


def principal_places(run: TrainingRun, table: Predictions) -> NDArray[np.float32]:
    """(N, 2) coordinates on the first two principal components.

    Raises:
        CheckpointError: as `read_values`.
    """
    values = features(run, table)
    return _principal(table.note.weights, table.examples.split, values)


@st.cache_data(max_entries=8, show_spinner=False)
def _places(
    path: str, written_at: int, _run: TrainingRun, _table: Predictions
) -> NDArray[np.float32]:
    return read_values(_run.path, _table.checkpoint, _table.examples, "embedding")


def places(run: TrainingRun, table: Predictions) -> NDArray[np.float32] | None:
    """(N, 2) t-SNE coordinates; None if they are not computed yet.

    Raises:
        CheckpointError: if it is damaged, or of other weights or data.
    """
    path = values_path(run.path, table.checkpoint.name, table.examples.split, "embedding")
    key = f"{path} {table.note.weights}"
    return _places(key, _written_at(path), run, table) if path.exists() else None


@st.cache_data(max_entries=8, show_spinner=False)
def ranking(job: Path) -> Ranking:
    """The result of a completed ranking job; its folder never changes."""
    return load_ranking(job)
