"""Cached loaders, all bounded; nothing else in the pages caches."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core.data import Dataset, is_ready, open_dataset
from cifar_core.data.locate import find_source
from cifar_core.data.store import ready_folder
from cifar_core.errors import DataError
from cifar_core.places import runs_root
from cifar_core.records import Metrics, read_metrics
from cifar_core.runtime import Hardware, probe

if TYPE_CHECKING:
    from cifar_core.models.summary import Summary


@st.cache_resource(max_entries=1, show_spinner="Looking at the hardware …")
def hardware() -> Hardware:
    """What this machine has; found in a process of its own."""
    return probe()


@st.cache_resource(max_entries=4, show_spinner="Opening the images …")
def _opened(data: str, folder: str, decoded_at: float) -> Dataset:
    return open_dataset(data)


def dataset(data: str) -> Dataset:
    """An opened data set; the arrays are memory-mapped and shared between sessions."""
    folder = ready_folder(data)
    if folder is None:
        return open_dataset(data)
    return _opened(data, str(folder), (folder / "meta.json").stat().st_mtime)


def cifar10_state() -> tuple[str, str]:
    """("ready" | "found" | "missing" | "wrong", what to say of it)."""
    try:
        return ("ready", "") if is_ready("cifar10") else ("found", "")
    except DataError as error:
        return ("wrong" if os.environ.get("CIFAR10_DIR") else "missing"), str(error)


@st.cache_resource(max_entries=64, show_spinner=False)
def _held(path: str) -> dict[str, Metrics]:
    return {"metrics": Metrics()}


def metrics_of(run_dir: Path) -> Metrics:
    """The records of a run; each call reads only what was added since the one before."""
    held = _held(str(run_dir))
    held["metrics"] = read_metrics(run_dir / "metrics.jsonl", held["metrics"])
    return held["metrics"]


def root() -> Path:
    """The folder of the runs."""
    return runs_root()


@st.cache_resource(max_entries=16, show_spinner="Building the model …")
def layer_table(model: str) -> "Summary":
    """The layer table of a model."""
    from cifar_core.models import create_model
    from cifar_core.models.summary import summarize

    return summarize(create_model(model), model)


def found_path() -> Path:
    """Where the copy of CIFAR-10 lies that was found but not read in yet."""
    source = find_source("cifar10")
    assert source is not None
    return source.path
