"""Widgets that filter and sort the images of a split; every choice is in the URL."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.errors import CifarCoreError
from cifar_core.evaluation.filters import (
    LABEL_ISSUES,
    SHOWS,
    Filter,
    available_shows,
    available_sorts,
    filter_rows,
)
from cifar_core.evaluation.history import History
from cifar_core.evaluation.label_issues import ABOUT, accuracy_note, can_find_label_issues
from cifar_core.evaluation.predictions import Predictions
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.selections import select_selection
from pages.ui.session import cache_analysis, messages, url

ANY = "any"


def filtered_rows(subject: Subject, predictions: Predictions) -> list[int]:
    """The rows that the filters leave, in the order chosen."""
    classes, history = predictions.examples.classes, _history(subject, predictions)
    sorts = available_sorts(history)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = url.select("True class", "true", [ANY, *classes], ANY, forget=("page",))
        predicted = url.select(
            "Predicted class", "predicted", [ANY, *classes], ANY, forget=("page",)
        )
        sort = url.select(
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
            available_shows(predictions),
            "errors",
            shown=SHOWS.__getitem__,
            forget=("page",),
            beside=True,
        )
    help_text = "Probability of the predicted class."
    confidence = url.span("Confidence", "sure", help_text, forget=("page",))
    selection = select_selection(subject, predictions.examples.split)
    if show == LABEL_ISSUES:
        st.caption(ABOUT)
        if note := accuracy_note(predictions):
            messages.info(note, icon=":material/help:")
    selected = Filter(
        _class_index(classes, true),
        _class_index(classes, predicted),
        show,
        confidence,
        selection.indices if selection else None,
        sort,
    )
    label_issues = label_issue_rows(predictions) if show == LABEL_ISSUES else None
    return filter_rows(predictions, selected, label_issues, history).tolist()


def label_issue_rows(predictions: Predictions) -> NDArray[np.int64]:
    """(M,) rows with a possible label error; empty where none can be found."""
    if not can_find_label_issues(predictions):
        return np.empty(0, np.int64)
    return cache_analysis.label_issues(predictions)


def _history(subject: Subject, predictions: Predictions) -> History | None:
    """Predictions of these images after every epoch; None where they were not stored."""
    if predictions.examples.split != "test":
        return None
    try:
        return cache_analysis.history(subject.run)
    except CifarCoreError:  # these sort orders are left out then; the evaluation page says why
        return None


def _class_index(classes: tuple[str, ...], name: str) -> int | None:
    return None if name == ANY else classes.index(name)
