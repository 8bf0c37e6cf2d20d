"""Cached results of evaluation and Grad-CAM, all bounded; `cache` has those of data and runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint, load_model, read_checkpoint
from cifar_core.data.store import ready_folder
from cifar_core.evaluation.available import available_file, load_predictions
from cifar_core.evaluation.features import find_values, pca_projection, read_values
from cifar_core.evaluation.history import History, load_history, probabilities_over_epochs
from cifar_core.evaluation.label_issues import find_label_issues
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.comparisons import View, untrained_model
from cifar_core.explain.cost import forward_s
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.explain.layers import TargetLayer, list_layers
from cifar_core.explain.maps import compute_cams
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.store import TrainingRun, read_run

if TYPE_CHECKING:
    from torch import nn

Subject = tuple[str, str, str]  # weights, split and fingerprint of the data


@st.cache_resource(max_entries=12, show_spinner=False)
def _load_predictions(
    path: str, checkpoint: str, weights: str, split: str, flip: bool, data: str, written_at: int
) -> Predictions:
    return load_predictions(read_run(Path(path), TrainingRun), checkpoint, split, flip)


def predictions(
    run: TrainingRun, checkpoint: Checkpoint, split: str, flip: bool = False
) -> Predictions:
    """Predictions of a checkpoint on a split, shared between sessions.

    Raises:
        CifarCoreError: as `load_predictions`.
    """
    written_at = _written_at(available_file(run, checkpoint, split, flip))
    subject = (str(run.path), checkpoint.name, checkpoint.weights_sha256, split, flip)
    return _load_predictions(*subject, _data_version(run), written_at)


def _data_version(run: TrainingRun) -> str:
    """Tells the decoded data of a run from other data under the same name.

    Raises:
        DataError: if they are gone.
    """
    return str(ready_folder(run.config.data))


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
    split: str,
    pixels: NDArray[np.uint8],
    layer: str,
    targets: tuple[Target, ...],
    method: str,
    initial: bool = False,
) -> CamMaps:
    checkpoint = read_checkpoint(Path(path)).for_split(split)
    run_dir = checkpoint.path.parent
    model = untrained_model(read_run(run_dir, TrainingRun)) if initial else _model(path, weights)
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
    key = (str(checkpoint.path), checkpoint.weights_sha256, checkpoint.split)
    return _maps(*key, pixels, layer, targets, method)


def view_map(view: View, pixels: NDArray[np.uint8]) -> CamMaps:
    """The map of one (32, 32, 3) image for a view.

    Raises:
        CifarCoreError: as `compute_cams`, or if its checkpoint is damaged.
    """
    checkpoint = view.checkpoint
    args = (checkpoint.split, pixels[None], view.layer, (view.target,), view.method, view.untrained)
    return _maps(str(checkpoint.path), checkpoint.weights_sha256, *args)


@st.cache_resource(max_entries=16, show_spinner=False)
def _forward_s(path: str, weights: str) -> float:
    return forward_s(_model(path, weights))


def pass_s(checkpoint: Checkpoint) -> float:
    """Seconds per forward pass of one image on this machine, measured once."""
    return _forward_s(str(checkpoint.path), checkpoint.weights_sha256)


@st.cache_resource(max_entries=3, show_spinner="Reading the epochs …")
def _load_history(path: str, num_epochs: int, data: str, written_at: int) -> History:
    return load_history(read_run(Path(path), TrainingRun))


def history(run: TrainingRun) -> History | None:
    """Predictions after every epoch, shared between sessions; None if they were not stored.

    Raises:
        CifarCoreError: as `load_history`.
    """
    paths = epoch_files(run.path)
    if not paths:
        return None
    return _load_history(str(run.path), len(paths), _data_version(run), _written_at(paths[-1]))


def _written_at(path: Path | None) -> int:
    """A file's modification time in ns; 0 if there is no such file."""
    try:
        return path.stat().st_mtime_ns if path else 0
    except OSError:
        return 0


@st.cache_data(max_entries=64, show_spinner=False)
def _probabilities_over_epochs(
    path: str,
    num_epochs: int,
    data: str,
    written_at: int,
    row: int,
    _run: TrainingRun,
    _history: History,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return probabilities_over_epochs(_run, _history.examples, row)


def image_history(
    run: TrainingRun, history: History, row: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(E,) epochs and (E, K) probabilities of a test image after each of them."""
    written_at = max((_written_at(path) for path in epoch_files(run.path)[-1:]), default=0)
    key = (str(run.path), len(history.epochs), history.examples.fingerprint, written_at, row)
    return _probabilities_over_epochs(*key, run, history)


def _subject(predictions: Predictions) -> Subject:
    """What features, and everything computed from predictions, depend on."""
    examples = predictions.examples
    return predictions.note.weights, examples.split, examples.fingerprint


@st.cache_data(max_entries=12, show_spinner=False)
def _label_issues(
    subject: Subject, flip: bool, sha256: str, _predictions: Predictions
) -> NDArray[np.int64]:
    return find_label_issues(_predictions)


def label_issues(predictions: Predictions) -> NDArray[np.int64]:
    """(M,) rows with a possible label error; see `find_label_issues`."""
    note = predictions.note
    return _label_issues(_subject(predictions), note.flip, note.sha256, predictions)


@st.cache_resource(max_entries=2, show_spinner=False)
def _read_features(
    path: str, subject: Subject, written_at: int, _predictions: Predictions
) -> NDArray[np.float32]:
    return read_values(Path(path), _predictions.checkpoint, _predictions.examples, "features")


def features(run: TrainingRun, predictions: Predictions) -> NDArray[np.float32]:
    """(N, D) features of the images of a split.

    Raises:
        CheckpointError: as `read_values`.
    """
    name, split = predictions.checkpoint.name, predictions.examples.split
    path = find_values(run, name, split, "features")
    return _read_features(str(path), _subject(predictions), _written_at(path), predictions)


@st.cache_data(max_entries=8, show_spinner="Projecting …")
def _pca_projection(subject: Subject, _features: NDArray[np.float32]) -> NDArray[np.float32]:
    return pca_projection(_features)


def pca_coordinates(run: TrainingRun, predictions: Predictions) -> NDArray[np.float32]:
    """(N, 2) coordinates along the two directions of largest variance.

    Raises:
        CheckpointError: as `read_values`.
    """
    return _pca_projection(_subject(predictions), features(run, predictions))


@st.cache_data(max_entries=8, show_spinner=False)
def _read_embedding(
    path: str, subject: Subject, written_at: int, _predictions: Predictions
) -> NDArray[np.float32]:
    return read_values(Path(path), _predictions.checkpoint, _predictions.examples, "embedding")


def tsne_coordinates(run: TrainingRun, predictions: Predictions) -> NDArray[np.float32] | None:
    """(N, 2) t-SNE coordinates; None if they were not computed yet.

    Raises:
        CheckpointError: if they are damaged, or of other weights or data.
    """
    name, split = predictions.checkpoint.name, predictions.examples.split
    path = find_values(run, name, split, "embedding")
    if not path.exists():
        return None
    return _read_embedding(str(path), _subject(predictions), _written_at(path), predictions)
