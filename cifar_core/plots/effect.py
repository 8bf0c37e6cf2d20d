"""Accuracy per class of a trained model on augmented images."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.plots.theme import GRAY, SPLIT_COLORS, diverging_scale, finish


def class_change(
    original: NDArray[np.float64], augmented: NDArray[np.float64], classes: Sequence[str]
) -> go.Figure:
    """(K,) accuracies on original and augmented images, as pairs of bars."""
    figure = go.Figure()
    for name, accs, color in (
        ("original", original, GRAY),
        ("augmented", augmented, SPLIT_COLORS["train"]),
    ):
        figure.add_bar(
            x=list(classes),
            y=accs,
            name=name,
            marker={"color": color},
            hovertemplate="%{x}: %{y:.1%}",
        )
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return finish(figure, "Accuracy per class").update_layout(barmode="group")


def operation_losses(
    lost: NDArray[np.float64], names: Sequence[str], classes: Sequence[str], dark: bool = False
) -> go.Figure:
    """(V, K) accuracy drop of each operation on each class, as a heatmap."""
    text = [["" if np.isnan(v) else f"{round(100 * v):+d}" for v in -row] for row in lost]
    cells = go.Heatmap(
        z=-lost,
        x=list(classes),
        y=list(names),
        text=text,
        texttemplate="%{text}",
        zmin=-1,
        zmax=1,
        colorscale=diverging_scale(dark),
        showscale=False,
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
    )
    figure = finish(
        go.Figure(cells), "Each operation alone: change of accuracy in percentage points"
    )
    figure.update_layout(height=110 + 34 * len(names), hovermode="closest")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(showgrid=False, tickangle=-45)
