"""Cached loaders, all bounded; nothing else in the pages caches."""

import os
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset, Split, is_ready, open_dataset
from cifar_core.data.dataset import class_means, histogram_of
from cifar_core.data.locate import find_source
from cifar_core.data.store import ready_folder
from cifar_core.errors import DataError
from cifar_core.evaluation.augmentation_effect import Effect, load_effect
from cifar_core.explain.road import Ranking, load_ranking
from cifar_core.records.records import Metrics, read_metrics
from cifar_core.runs.index import Listing, RunIndex
from cifar_core.runs.store import TrainingRun
from cifar_core.system.paths import runs_root
from cifar_core.system.runtime import Hardware, probe

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from cifar_core.models.summary import Summary


@st.cache_resource(max_entries=1, show_spinner="Detecting hardware …")
def hardware() -> Hardware:
    """The hardware of this machine, detected in a separate process."""
    return probe()


@st.cache_resource(max_entries=4, show_spinner="Loading images …")
def _opened(data: str, folder: str, decoded_at: float) -> Dataset:
    return open_dataset(data)


def dataset(data: str) -> Dataset:
    """An opened data set; the arrays are memory-mapped and shared between sessions."""
    folder = ready_folder(data)
    if folder is None:
        return open_dataset(data)
    return _opened(data, str(folder), (folder / "meta.json").stat().st_mtime)


@st.cache_data(max_entries=8, show_spinner=False)
def _class_means(fingerprint: str, _split: Split) -> NDArray[np.uint8]:
    return class_means(_split)


def means_of(split: Split) -> NDArray[np.uint8]:
    """(K, 32, 32, 3) mean image of each class."""
    return _class_means(split.fingerprint, split)


@st.cache_data(max_entries=64, show_spinner="Computing statistics …")
def _histogram(fingerprint: str, classes: tuple[int, ...], _split: Split) -> NDArray[np.int64]:
    return histogram_of(_split.images[np.isin(_split.labels, classes)])


def histogram(split: Split, classes: tuple[int, ...]) -> NDArray[np.int64]:
    """(3, 256) counts of each value in the images of some classes; of all if there are none."""
    return _histogram(split.fingerprint, classes, split) if classes else split.histogram


@st.cache_data(max_entries=16, show_spinner="Rebuilding the batch …")
def batch(
    config: TrainConfig, fingerprint: str, epoch: int, step: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(B, 32, 32, 3) pixels and (B,) labels of a batch, exactly as a run trained on them."""
    from cifar_core.training.batches import redraw

    return redraw(config, dataset(config.data), epoch, step)


def cifar10_state() -> tuple[str, str]:
    """("ready" | "found" | "missing" | "wrong", an error message or "")."""
    try:
        return ("ready", "") if is_ready("cifar10") else ("found", "")
    except DataError as error:
        return ("wrong" if os.environ.get("CIFAR10_DIR") else "missing"), str(error)


@st.cache_resource(max_entries=64, show_spinner=False)
def _metrics_cell(path: str) -> dict[str, Metrics]:
    return {"metrics": Metrics()}


def metrics_of(run_dir: Path) -> Metrics:
    """The records of a run; each call reads only what was added since the previous one."""
    cell = _metrics_cell(str(run_dir))
    cell["metrics"] = read_metrics(run_dir / "metrics.jsonl", cell["metrics"])
    return cell["metrics"]


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    curves_key: tuple[Any, ...],
    quantity: str,
    view: tuple[Any, ...],
    _curves: tuple[plots.Curve, ...],
) -> "go.Figure":
    return plots.curves(_curves, quantity, plots.View(*view))


def _extent(metrics: Metrics) -> tuple[int, ...]:
    """A cache key that changes whenever records are added."""
    return len(metrics.steps), len(metrics.epochs), len(metrics.resumes)


def figure(curves: tuple[plots.Curve, ...], quantity: str, view: plots.View) -> "go.Figure":
    """The curves as a figure, shared between sessions: read-only."""
    curves_key = tuple(
        (c.run_id, c.name, _extent(c.metrics), c.steps_per_epoch, c.epochs) for c in curves
    )
    return _figure(curves_key, quantity, astuple(view), curves)


@st.cache_resource(max_entries=32, show_spinner=False)
def _lr_figure(run_id: str, extent: tuple[int, ...], _metrics: Metrics) -> "go.Figure":
    return plots.learning_rates(_metrics)


def lr_figure(run_id: str, metrics: Metrics) -> "go.Figure":
    """The learning rate per step as a figure, shared between sessions: read-only."""
    return _lr_figure(run_id, _extent(metrics), metrics)


def rivals(run: TrainingRun, fingerprint: str) -> list[TrainingRun]:
    """Other runs with a checkpoint, trained on the data of that fingerprint, newest first."""
    return [
        other
        for other in listing().trained()
        if other.run_id != run.run_id and other.status.fingerprint == fingerprint
    ]


def root() -> Path:
    """The folder of the runs."""
    return runs_root()


@st.cache_resource(max_entries=4, show_spinner=False)
def _index(folder: str) -> RunIndex:
    return RunIndex(Path(folder))


def listing() -> Listing:
    """All jobs in their current state; only files that changed are read again."""
    return _index(str(root())).now()


@st.cache_resource(max_entries=16, show_spinner="Building model …")
def layer_table(model: str, functions: bool = False) -> "Summary":
    """The layer table of a model; see `summarize`."""
    from cifar_core.models import create_model
    from cifar_core.models.summary import summarize

    return summarize(create_model(model), model, functions)


def source_path() -> Path:
    """The path of the copy of CIFAR-10 that was found but is not imported yet."""
    source = find_source("cifar10")
    assert source is not None
    return source.path


@st.cache_resource(max_entries=4, show_spinner=False)
def effect(job: Path) -> Effect:
    """The effect measured by a completed job, whose folder never changes."""
    return load_effect(job)


@st.cache_data(max_entries=8, show_spinner=False)
def ranking(job: Path) -> Ranking:
    """The ranking of a completed job, whose folder never changes."""
    return load_ranking(job)
