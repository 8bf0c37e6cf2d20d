"""A checkpoint's metrics, confusion matrix and per-class plots."""

from collections.abc import Sequence
from typing import NoReturn

import plotly.graph_objects as go
import streamlit as st

from cifar_core import plots
from cifar_core.evaluation.metrics import (
    calibration,
    most_confused,
    per_class_accuracy,
    precision_recall_f1,
)
from cifar_core.evaluation.predictions import Predictions
from cifar_core.report.html import accuracy_interval, key_figures
from cifar_core.runs.store import TrainingRun
from pages.ui.components import parts
from pages.ui.components.curves import PLOT, named_plot
from pages.ui.session import url
from pages.ui.session.messages import plain

NORMALIZE_HELP = "Share of each true class instead of image counts"


def summary(run: TrainingRun, predictions: Predictions, query: dict[str, str]) -> None:
    """Metrics, confusion matrix and per-class plots; a cell opens its images.

    Args:
        query: URL parameters of links to the same predictions.
    """
    _figures(run, predictions)
    left, right = st.columns([3, 2], gap="large")
    with left:
        parts.redraw_every(
            None, lambda: _matrix(predictions, query)
        )  # the switch redraws this part alone
        _pick_cell(predictions.examples.classes, query)
    with right:
        _pairs(predictions, query)
    _classes(predictions)


def _figures(run: TrainingRun, predictions: Predictions) -> None:
    """The metrics and the confidence interval of the accuracy."""
    interval = accuracy_interval(predictions)
    tips = {
        "Accuracy": interval,
        "Top-2": "The true class is among the two most probable ones",
        "Loss": "Mean cross-entropy in nats",
    }
    parts.metrics_row(key_figures(predictions), tips)
    st.caption(plain(f"{run.name}: {predictions} · {interval}"))


def matrix_plot(figure: go.Figure, key: str) -> tuple[int, int] | None:
    """Draws a confusion matrix; returns the (true, predicted) cell that was clicked."""
    event = st.plotly_chart(
        figure,
        key=key,
        config={**PLOT, "displayModeBar": False},
        on_select="rerun",
        selection_mode="points",
        alt="Confusion matrix",
    )
    points = event["selection"]["points"]
    return (points[0]["customdata"][0], points[0]["customdata"][1]) if points else None


def _matrix(predictions: Predictions, query: dict[str, str]) -> None:
    classes = predictions.examples.classes
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Confusion matrix")
        normalize = url.switch("Normalize by row", "shares", NORMALIZE_HELP)
    st.caption("Click a cell to see its images")
    figure = plots.confusion(predictions.matrix, classes, normalized=normalize, dark=parts.dark())
    if cell := matrix_plot(figure, "confusion"):
        open_cell(classes[cell[0]], classes[cell[1]], query)


def open_cell(true: str, predicted: str, query: dict[str, str]) -> NoReturn:
    """Opens the images of a true and a predicted class."""
    show = "correct" if true == predicted else "errors"
    url.to_gallery(**query, true=true, predicted=predicted, show=show)


def _pick_cell(classes: Sequence[str], query: dict[str, str]) -> None:
    """Two lists and a button that do what a click on a cell does."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox("True class", classes, key="cell_true")
        predicted = st.selectbox("Predicted class", classes, index=1, key="cell_predicted")
        if st.button("Show images", icon=":material/photo_library:"):
            open_cell(true, predicted, query)


def _pairs(predictions: Predictions, query: dict[str, str]) -> None:
    classes = predictions.examples.classes
    st.subheader("Most confused classes")
    for true, predicted, count in most_confused(predictions.matrix, 6):
        cell = {"true": classes[true], "predicted": classes[predicted]}
        st.page_link(
            "pages/gallery.py",
            label=f"{classes[true]} predicted as {classes[predicted]}: {count:,}",
            icon=":material/arrow_forward:",
            query_params={**query, **cell},
        )


def _classes(predictions: Predictions) -> None:
    """Accuracy, precision, recall and F1 per class, and calibration."""
    classes = predictions.examples.classes
    matrix = predictions.matrix
    figures = {
        "Accuracy per class": plots.class_accuracies(per_class_accuracy(matrix), classes),
        "Precision, recall, F1": plots.class_scores(precision_recall_f1(matrix), classes),
        "Calibration": plots.reliability(calibration(predictions.confidence, predictions.correct)),
    }
    for column, (name, figure) in zip(st.columns(3), figures.items(), strict=True):
        column.plotly_chart(figure, key=name, config=named_plot(name), alt=name)
