"""What a checkpoint gets right and wrong now: figures, matrix, classes."""

from collections.abc import Sequence

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
from cifar_core.report.html import key_figures, sure_of
from cifar_core.runs.store import Run
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.session import url


def summary(run: Run, predictions: Predictions, query: dict[str, str]) -> None:
    """Figures, matrix and classes of a table; each cell leads to its images.

    Args:
        query: What the table is of, for links.
    """
    _figures(run, predictions)
    left, right = st.columns([3, 2], gap="large")
    with left:
        parts.every(None, lambda: _matrix(predictions, query))  # shares or counts: this part alone
        _pick_cell(predictions.examples.classes, query)
    with right:
        _pairs(predictions, query)
    _classes(predictions)


def _figures(run: Run, predictions: Predictions) -> None:
    """The accuracy and how sure it is."""
    sure = sure_of(predictions)
    tips = {
        "Accuracy": sure,
        "Top-2": "The class is among the two most probable.",
        "Loss": "Mean cross-entropy, nats.",
    }
    parts.figures(key_figures(predictions), tips)
    st.caption(f"{run.name}: {predictions} · {sure}")


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
        as_shares = url.switch("Shares of each true class", "shares")
    st.caption("Click on a cell to see its images.")
    figure = plots.confusion(predictions.matrix, classes, normalised=as_shares, dark=parts.dark())
    if cell := matrix_plot(figure, "confusion"):
        _to_gallery(classes[cell[0]], classes[cell[1]], query)


def _to_gallery(true: str, predicted: str, query: dict[str, str]) -> None:
    show = "correct" if true == predicted else "errors"
    url.to_gallery(**query, true=true, predicted=predicted, show=show)


def _pick_cell(classes: Sequence[str], query: dict[str, str]) -> None:
    """The same as a click on the matrix, by two lists."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox("True class", classes, key="cell_true")
        predicted = st.selectbox("Predicted class", classes, index=1, key="cell_predicted")
        if st.button("Show its images", icon=":material/photo_library:"):
            _to_gallery(true, predicted, query)


def _pairs(predictions: Predictions, query: dict[str, str]) -> None:
    classes = predictions.examples.classes
    st.subheader("Most confused")
    for true, predicted, count in most_confused(predictions.matrix, 6):
        cell = {"true": classes[true], "predicted": classes[predicted]}
        st.page_link(
            "pages/gallery.py",
            label=f"{classes[true]} predicted as {classes[predicted]}: {count:,}",
            icon=":material/arrow_forward:",
            query_params={**query, **cell},
        )


def _classes(predictions: Predictions) -> None:
    """Class by class, and how well the model knows."""
    classes = predictions.examples.classes
    drawn = {
        "Accuracy per class": plots.class_accuracies(
            per_class_accuracy(predictions.matrix), classes
        ),
        "Precision, recall, F1": plots.class_scores(
            precision_recall_f1(predictions.matrix), classes
        ),
        "Calibration": plots.reliability(calibration(predictions.confidence, predictions.correct)),
    }
    for column, (name, figure) in zip(st.columns(3), drawn.items(), strict=True):
        column.plotly_chart(figure, key=name, config=PLOT, alt=name)
