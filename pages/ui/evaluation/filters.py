"""Filters and order of the gallery, all in the URL."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.errors import CifarCoreError
from cifar_core.evaluation.history import History
from cifar_core.evaluation.label_issues import ABOUT, MIN_ACC, can_find_label_issues
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import HISTORY_SORTS, SORTS, sort_rows
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.selections import pick_selection
from pages.ui.session import cache_analysis, url

ANY = "any"
SHOWS = {"errors": "Errors", "right": "Correct", "all": "All", "doubted": "Possible label errors"}


def chosen_rows(subject: Subject, predictions: Predictions) -> list[int]:
    """(M,) filtered rows in the chosen order."""
    classes, history = predictions.examples.classes, _history(subject, predictions)
    sorts = {**SORTS, **(HISTORY_SORTS if history else {})}
    shows = [show for show in SHOWS if show != "doubted" or can_find_label_issues(predictions)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = url.select("True class", "true", [ANY, *classes], ANY, forget=("page",))
        predicted = url.select(
            "Predicted class", "predicted", [ANY, *classes], ANY, forget=("page",)
        )
        by = url.select(
            "Sort by",
            "sort",
            list(sorts),
            "confidence",
            shown=sorts.__getitem__,
            forget=("page",),
        )
        show = url.select(
            "Show",
            "show",
            shows,
            "errors",
            shown=SHOWS.__getitem__,
            forget=("page",),
            beside=True,
        )
    sure = url.span("Confidence", "sure", "Probability of the predicted class", forget=("page",))
    rows = predictions.rows(_number(classes, true), _number(classes, predicted), "all")
    rows = rows[_shown(predictions, show)[rows]]
    confidence = 100 * predictions.confidence[rows]
    rows = rows[(confidence >= sure[0]) & (confidence <= sure[1])]
    if selection := pick_selection(subject, predictions.examples.split):
        rows = rows[np.isin(predictions.examples.indices[rows], selection.indices)]
    if show == "doubted":
        _about_doubts(predictions)
    return sort_rows(predictions, rows, by, history).tolist()


def _about_doubts(predictions: Predictions) -> None:
    st.caption(ABOUT)
    if predictions.acc < MIN_ACC:
        st.info(
            f"This model's accuracy is {predictions.acc:.2%}. Below {MIN_ACC:.0%}, most of what it "
            "flags are its own errors, so nothing is shown. Train a more accurate model.",
            icon=":material/help:",
        )


def _shown(predictions: Predictions, show: str) -> NDArray[np.bool_]:
    """(N,) whether an image is of the kind to show."""
    if show == "doubted":
        doubted = np.zeros_like(predictions.correct)
        doubted[doubted_rows(predictions)] = True
        return doubted
    every = np.ones_like(predictions.correct)
    return {"errors": ~predictions.correct, "right": predictions.correct, "all": every}[show]


def doubted_rows(predictions: Predictions) -> NDArray[np.int64]:
    """(M,) rows of possible label errors; empty where labels cannot be checked."""
    if not can_find_label_issues(predictions):
        return np.empty(0, np.int64)
    return cache_analysis.doubted(predictions)


def _history(subject: Subject, predictions: Predictions) -> History | None:
    """Predictions per epoch of the same images, if they were saved and can be read."""
    if predictions.examples.split != "test":
        return None
    try:
        return cache_analysis.history(subject.run)
    except CifarCoreError:  # the page then offers no order by history; Evaluation shows why
        return None


def _number(classes: tuple[str, ...], name: str) -> int | None:
    return None if name == ANY else classes.index(name)
