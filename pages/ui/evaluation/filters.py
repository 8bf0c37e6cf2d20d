"""Which images of a table to look at, and in which order; all of it in the URL."""

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
SHOWS = {"errors": "Errors", "right": "Right", "all": "All", "doubted": "Label in doubt"}


def chosen_rows(subject: Subject, table: Predictions) -> list[int]:
    """The rows that the filters leave, in the order asked for."""
    classes, history = table.examples.classes, _history(subject, table)
    sorts = {**SORTS, **(HISTORY_SORTS if history else {})}
    shows = [show for show in SHOWS if show != "doubted" or can_find_label_issues(table)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = url.select("True class", "true", [ANY, *classes], ANY, forget=("page",))
        predicted = url.select("Taken for", "predicted", [ANY, *classes], ANY, forget=("page",))
        by = url.select(
            "Order",
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
    sure = url.span("Confidence", "sure", "Probability of the predicted class.", forget=("page",))
    rows = table.rows(_number(classes, true), _number(classes, predicted), "all")
    rows = rows[_shown(table, show)[rows]]
    confidence = 100 * table.confidence[rows]
    rows = rows[(confidence >= sure[0]) & (confidence <= sure[1])]
    if selection := pick_selection(subject, table.examples.split):
        rows = rows[np.isin(table.examples.indices[rows], selection.indices)]
    if show == "doubted":
        _about_doubts(table)
    return sort_rows(table, rows, by, history).tolist()


def _about_doubts(table: Predictions) -> None:
    st.caption(ABOUT)
    if table.acc < MIN_ACC:
        st.info(
            f"This model recognises {table.acc:.0%}; below {MIN_ACC:.0%} its doubts are mostly "
            "its own errors, so none are shown. Train a better one.",
            icon=":material/help:",
        )


def _shown(table: Predictions, show: str) -> NDArray[np.bool_]:
    """(N,) whether an image is of the kind asked for."""
    if show == "doubted":
        doubted = np.zeros_like(table.correct)
        doubted[doubted_rows(table)] = True
        return doubted
    every = np.ones_like(table.correct)
    return {"errors": ~table.correct, "right": table.correct, "all": every}[show]


def doubted_rows(table: Predictions) -> NDArray[np.int64]:
    """Rows whose label is in doubt; none where it cannot be."""
    return cache_analysis.doubted(table) if can_find_label_issues(table) else np.empty(0, np.int64)


def _history(subject: Subject, table: Predictions) -> History | None:
    """How these images fared over the epochs, as far as that is known."""
    if table.examples.split != "test":
        return None
    try:
        return cache_analysis.history(subject.run)
    except CifarCoreError:  # the orders by it are then left out; the evaluation page says why
        return None


def _number(classes: tuple[str, ...], name: str) -> int | None:
    return None if name == ANY else classes.index(name)
