"""Choosing a run, one of its checkpoints, a split, and another run to compare with."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import streamlit as st

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, list_checkpoints
from cifar_core.evaluation.predictions import SPLIT_NAMES, SPLITS
from cifar_core.runs.store import TrainingRun, find_run
from pages.ui.components import parts
from pages.ui.session import cache, chosen, messages, url

BELOW_SPLIT = ("images", "image", "page", "selection", "sort", "show")
BELOW_RUN = (*BELOW_SPLIT, "checkpoint", "layer", "epoch", "cell", "list", "true", "predicted")
BELOW_RUN += ("target", "other")

TTA_HELP = (
    "Test-time augmentation: averages the logits of each image and its mirror image. Slightly "
    "more accurate, twice the inference time."
)


@dataclass(frozen=True)
class Subject:
    """The checkpoint that a page is about.

    Attributes:
        flip: Whether TTA (flip) is on; see `FlipTTA`.
    """

    run: TrainingRun
    checkpoint: Checkpoint
    flip: bool = False

    @property
    def query(self) -> dict[str, str]:
        """URL parameters of links to the same checkpoint."""
        flip = {"flip": url.ON} if self.flip else {}
        return {"run": self.run.run_id, "checkpoint": self.checkpoint.name, **flip}


def select_subject(*recalled: str, whole_run: bool = False) -> Subject:
    """Lets people choose run and checkpoint; without any run, ends the page with the next step.

    Args:
        recalled: URL parameters that stay as they were on the page before; see `chosen.recall`.
        whole_run: Whether the page is about all epochs, so that no checkpoint is chosen.
    """
    runs = {run.run_id: run for run in cache.listing().trained()}
    chosen.recall(runs, recalled)
    if name_or_id := st.query_params.get("run"):
        with parts.show_errors():
            linked = find_run(cache.root(), name_or_id, TrainingRun)
        if linked.run_id not in runs:
            messages.error(f"{linked.name} has no checkpoint. Choose another run.")
            st.query_params.pop("run")
        elif name_or_id != linked.run_id:
            st.query_params["run"] = linked.run_id
    if not runs:
        parts.empty_state(
            "No trained model yet. Training the first one takes about a minute.",
            "pages/train.py",
            "Train a model",
            ":material/play_circle:",
        )
        st.stop()
    left, right = (st.container(), None) if whole_run else st.columns(2)
    with left:
        run_id = url.select(
            "Run",
            "run",
            list(runs),
            next(iter(runs)),
            shown=lambda run_id: _run_label(runs[run_id]),
            forget=BELOW_RUN,
        )
    run, flip = runs[run_id], url.is_on("flip")
    with right or contextlib.nullcontext(), parts.show_errors():
        checkpoint = _checkpoint_in_url(run) if whole_run else _select_checkpoint(run)
    chosen.remember_subject(run_id, checkpoint.name, url.ON if flip else "")
    return Subject(run, checkpoint, flip)


def _checkpoint_in_url(run: TrainingRun) -> Checkpoint:
    name = st.query_params.get("checkpoint", "best")
    names = {checkpoint.name for checkpoint in list_checkpoints(run.path)}
    return find_checkpoint(run.path, name if name in names else "best")


def _select_checkpoint(run: TrainingRun) -> Checkpoint:
    checkpoints = {c.name: c for c in reversed(list_checkpoints(run.path))}
    if (role := st.query_params.get("checkpoint")) in ("best", "last"):
        st.query_params["checkpoint"] = find_checkpoint(run.path, role).name
    name = url.select(
        "Checkpoint",
        "checkpoint",
        list(checkpoints),
        find_checkpoint(run.path, "best").name,
        shown=lambda name: label(checkpoints[name]),
    )
    return checkpoints[name]


def _run_label(run: TrainingRun) -> str:
    acc = "" if run.best_acc is None else f" · {run.best_acc:.2%}"
    return f"{run.name}{acc}"


def label(checkpoint: Checkpoint) -> str:
    """A checkpoint in words: role, epoch, validation accuracy."""
    figures = checkpoint.manifest.figures
    acc = figures.val_acc if figures else None
    val_acc = "" if acc is None else f", validation {acc:.2%}"
    return f"{checkpoint.role}, epoch {checkpoint.epoch}{val_acc}"


def select_split(
    subject: Subject, more: Mapping[str, str] = MappingProxyType({}), flip: bool = False
) -> str:
    """Lets people choose the split, and switch TTA off where it is on.

    Args:
        more: Other sources of images than the splits, and their names.
        flip: Whether TTA can also be switched on.
    """
    offered = [s for s in SPLITS if s != "val" or subject.run.config.val_size]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = url.select(
            "Images",
            "split",
            [*offered, *more],
            "test",
            shown=lambda s: {**SPLIT_NAMES, **more}[s].capitalize(),
            forget=BELOW_SPLIT,
            beside=True,
        )
        if flip or subject.flip:
            url.switch("TTA (flip)", "flip", TTA_HELP)
    chosen.remember_split(split)
    return split


def select_other(first: Subject) -> Subject | None:
    """Another run on the same data; where there is none, says so and returns None."""
    fingerprint = first.checkpoint.manifest.fingerprint
    others = {run.run_id: run for run in cache.rivals(first.run, fingerprint)}
    if not others:
        parts.empty_state(
            "No other model was trained on this data yet.",
            "pages/train.py",
            "Train another model",
            ":material/play_circle:",
        )
        return None
    for run_id, run in others.items():  # the URL may hold a name
        if st.query_params.get("other") == run.name:
            st.query_params["other"] = run_id
    chosen_id = url.select(
        "Compare with", "other", list(others), next(iter(others)), shown=lambda r: others[r].name
    )
    with parts.show_errors():
        other = others[chosen_id]
        return Subject(other, find_checkpoint(other.path), first.flip)
