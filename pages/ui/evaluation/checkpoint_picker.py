"""What is explained: a run, one of its checkpoints, a split, and another run beside it."""

from dataclasses import dataclass

import streamlit as st

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, list_checkpoints
from cifar_core.evaluation.predictions import SPLIT_NAMES, SPLITS
from cifar_core.runs.store import TrainingRun, find_run
from pages.ui.components import parts
from pages.ui.session import cache, url

BELOW_SPLIT = ("images", "image", "page", "selection", "sort", "show")
BELOW_RUN = (*BELOW_SPLIT, "checkpoint", "layer", "epoch", "cell", "list", "true", "predicted")
BELOW_RUN += ("target", "other")


FLIP = (
    "Averages the logits of each image and of its mirror image: a little more accurate, twice the "
    "time."
)


@dataclass(frozen=True)
class Subject:
    """The checkpoint that a page speaks of.

    Attributes:
        flip: Whether test-time flip is used; see `FlipTTA`.
    """

    run: TrainingRun
    checkpoint: Checkpoint
    flip: bool = False

    @property
    def query(self) -> dict[str, str]:
        """For links that stay with it."""
        flip = {"flip": url.ON} if self.flip else {}
        return {"run": self.run.run_id, "checkpoint": self.checkpoint.name, **flip}


def pick_subject(whole_run: bool = False) -> Subject:
    """Lets people choose run and checkpoint; ends the page with the next step if there is none.

    Args:
        whole_run: Whether the checkpoint plays no part, so that it is not asked for.
    """
    runs = {run.run_id: run for run in cache.listing().trained()}
    if wanted := st.query_params.get("run"):
        with parts.sentences():  # a name does as well as an id
            found = find_run(cache.root(), wanted, TrainingRun)
        if found.run_id not in runs:
            st.error(f"{found.name} has no checkpoint. Choose another run.")
            st.query_params.pop("run")
        elif wanted != found.run_id:
            st.query_params["run"] = found.run_id
    if not runs:
        parts.empty_state(
            "There is no trained model yet. The first takes about a minute.",
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
    if right is None:
        with parts.sentences():
            wanted = st.query_params.get("checkpoint", "best")
            there = {one.name for one in list_checkpoints(run.path)}
            return Subject(
                run, find_checkpoint(run.path, wanted if wanted in there else "best"), flip
            )
    with right, parts.sentences():
        return Subject(run, _pick_checkpoint(run), flip)


def _pick_checkpoint(run: TrainingRun) -> Checkpoint:
    there = {c.name: c for c in reversed(list_checkpoints(run.path))}
    if (role := st.query_params.get("checkpoint")) in ("best", "last"):
        st.query_params["checkpoint"] = find_checkpoint(run.path, role).name
    name = url.select(
        "Checkpoint",
        "checkpoint",
        list(there),
        find_checkpoint(run.path, "best").name,
        shown=lambda name: label(there[name]),
    )
    return there[name]


def _run_label(run: TrainingRun) -> str:
    acc = "" if run.best_acc is None else f" · {run.best_acc:.1%}"
    return f"{run.name}{acc}"


def label(checkpoint: Checkpoint) -> str:
    """What people call a checkpoint: role, epoch, how good it is."""
    figures = checkpoint.manifest.figures
    acc = figures.val_acc if figures else None
    judged = "" if acc is None else f", validation {acc:.1%}"
    return f"{checkpoint.role}, epoch {checkpoint.epoch}{judged}"


def pick_split(subject: Subject, *more: str, flip: bool = False) -> str:
    """Lets people choose the images, and takes test-time flip off where it is on.

    Args:
        more: Other sources than the splits.
        flip: Whether it can also be put on.
    """
    offered = [s for s in SPLITS if s != "val" or subject.run.config.val_size]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = url.select(
            "Images",
            "split",
            [*offered, *more],
            "test",
            shown=lambda s: SPLIT_NAMES.get(s, s).capitalize(),
            forget=BELOW_SPLIT,
            beside=True,
        )
        if flip or subject.flip:
            url.switch("Test-time flip", "flip", FLIP)
    return split


def pick_other(first: Subject) -> Subject | None:
    """Another run that was trained on the same data; None where there is none, which is said."""
    fingerprint = first.checkpoint.manifest.fingerprint
    others = {run.run_id: run for run in cache.rivals(first.run, fingerprint)}
    if not others:
        parts.empty_state(
            "There is no second model of the same data yet.",
            "pages/train.py",
            "Train another one",
            ":material/play_circle:",
        )
        return None
    for run_id, run in others.items():  # a name does as well as an id
        if st.query_params.get("other") == run.name:
            st.query_params["other"] = run_id
    chosen = url.select(
        "With", "other", list(others), next(iter(others)), shown=lambda r: others[r].name
    )
    with parts.sentences():
        return Subject(others[chosen], find_checkpoint(others[chosen].path), first.flip)
