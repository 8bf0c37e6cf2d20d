"""Precision, recall, F1, calibration, and the difference of two confusion matrices."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.evaluation.metrics import Calibration
from cifar_core.plots.theme import GRAY, RUN_COLORS, SPLIT_COLORS, diverging_cells, finish

SCORES = ("precision", "recall", "F1")


def class_scores(scores: NDArray[np.float64], classes: Sequence[str]) -> go.Figure:
    """(3, K) precision, recall and F1 as dots, one row per class, the best F1 on top."""
    order = np.argsort(-np.nan_to_num(scores[2]), kind="stable")
    names, figure = [str(classes[k]) for k in order], go.Figure()
    for name, values, color in zip(SCORES, scores, RUN_COLORS, strict=False):
        figure.add_scatter(
            x=values[order],
            y=names,
            name=name,
            mode="markers",
            marker={"size": 11, "color": color, "symbol": "diamond" if name == "F1" else "circle"},
            hovertemplate=f"{name} %{{x:.1%}}",
        )
    figure.update_xaxes(tickformat=".0%")
    finish(figure, "Precision, recall, F1").update_layout(hovermode="y unified")
    return figure.update_yaxes(autorange="reversed")


def reliability(calibration: Calibration) -> go.Figure:
    """Reliability diagram: accuracy against confidence; on the diagonal they agree."""
    share = calibration.counts / max(calibration.counts.sum(), 1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": GRAY}, showlegend=False
    )
    figure.add_bar(
        x=calibration.confidence,
        y=share,
        width=0.03,
        name="share of images",
        marker={"color": GRAY, "opacity": 0.35},
        hovertemplate="%{y:.1%}",
    )
    figure.add_scatter(
        x=calibration.confidence,
        y=calibration.acc,
        name="accuracy",
        mode="lines+markers",
        line={"color": SPLIT_COLORS["train"], "width": 2.5},
        hovertemplate="%{y:.1%}",
    )
    figure.update_xaxes(title="Confidence", tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    finish(figure, f"Calibration, ECE {calibration.error:.2%}")
    return figure.update_layout(legend={"y": -0.3})


def matrix_difference(
    first: NDArray[np.int64], second: NDArray[np.int64], classes: Sequence[str], dark: bool = False
) -> go.Figure:
    """Second minus first (K, K) confusion matrix.

    An increase is green on the diagonal and red elsewhere.
    """
    change = second - first
    good = np.where(np.eye(len(change), dtype=bool), change, -change)
    most = max(int(np.abs(change).max()), 1)
    texts = [["" if not v else f"{v:+d}" for v in row] for row in change]
    figure = diverging_cells(good, classes, classes, texts, most, dark)
    figure.update_traces(hovertemplate="%{y} predicted as %{x}: %{text}<extra></extra>")
    figure.update_layout(height=470).update_yaxes(title="True label")
    return figure.update_xaxes(title="Predicted label", side="top", tickangle=-45)
