"""Classes and single images over the epochs, the embedding, and the ROAD ranking."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.plots.theme import GRAY, diverging_cells, diverging_scale, finish

# Ten colors that differ on both themes (Tableau, by Maureen Stone).
CLASS_COLORS = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#d4b02c",
    "#b07aa1",
    "#ff9da7",
    "#9c755f",
    "#8a97a5",
)


def class_curves(
    epochs: NDArray[np.int64], accs: NDArray[np.float64], classes: Sequence[str], at: int
) -> go.Figure:
    """(E, K) accuracy of each class over (E,) epochs, with a line at one epoch."""
    figure = go.Figure()
    for number, name in enumerate(classes):
        figure.add_scatter(
            x=epochs,
            y=accs[:, number],
            name=name,
            mode="lines+markers" if len(epochs) < 40 else "lines",
            line={"color": _color(number), "width": 2},
            marker={"size": 5},
            hovertemplate="%{y:.1%}",
        )
    figure.add_vline(x=at, line={"width": 1.5, "dash": "dot", "color": GRAY})
    figure.update_yaxes(tickformat=".0%")
    figure.update_xaxes(title="Epoch", dtick=_tick(epochs))
    return finish(figure, "Accuracy per class").update_layout(height=420, legend={"y": -0.24})


def probability_curves(
    epochs: NDArray[np.int64], probs: NDArray[np.floating], classes: Sequence[str], true: int
) -> go.Figure:
    """(E, K) probabilities of an image over (E,) epochs; the true class is a thick line.

    Only classes that ever reach 10% are in the legend; the others are faint.
    """
    figure = go.Figure()
    for number, name in enumerate(classes):
        is_true, visible = number == true, bool((probs[:, number] >= 0.1).any())
        figure.add_scatter(
            x=epochs,
            y=probs[:, number],
            name=f"{name} (true)" if is_true else name,
            mode="lines+markers" if len(epochs) < 40 else "lines",
            line={"color": _color(number), "width": 4 if is_true else 2 if visible else 1},
            marker={"size": 6 if is_true else 4},
            opacity=1.0 if is_true or visible else 0.3,
            showlegend=is_true or visible,
            hovertemplate="%{y:.1%}",
        )
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.02])
    figure.update_xaxes(title="Epoch", dtick=_tick(epochs))
    return finish(figure, "Probability per class").update_layout(legend={"y": -0.3})


def embedding(
    coordinates: NDArray[np.floating],
    groups: NDArray[np.integer],
    names: Sequence[str],
    tips: Sequence[str],
    *,
    by_correctness: bool = False,
    dark: bool = False,
) -> go.Figure:
    """(N, 2) coordinates as points for a lasso; each point's `customdata` is its row.

    Args:
        groups: (N,) group index of each point, which sets its color.
        names: Of the groups.
        tips: Hover text of each point.
        by_correctness: Whether the groups are "incorrect" and "correct".
    """
    scale = diverging_scale(dark)
    figure = go.Figure()
    for number, name in enumerate(names):
        rows = np.flatnonzero(groups == number).tolist()
        color = (scale[0][1], GRAY)[number] if by_correctness else _color(number)
        figure.add_scattergl(
            x=coordinates[rows, 0],
            y=coordinates[rows, 1],
            customdata=rows,
            text=[tips[row] for row in rows],
            hoverinfo="text",
            name=f"{name} ({len(rows):,})",
            mode="markers",
            marker={"size": 4, "color": color, "opacity": 0.75},
        )
    finish(figure, "").update_layout(
        height=620,
        title=None,
        hovermode="closest",
        dragmode="lasso",
        legend={"itemsizing": "constant", "y": -0.03},
    )
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    # Distances matter, so both axes have the same scale.
    return figure.update_xaxes(**hidden).update_yaxes(**hidden, scaleanchor="x")


def road_ranking(
    scores: NDArray[np.floating], layers: Sequence[str], methods: Sequence[str], dark: bool
) -> go.Figure:
    """(L, M) ROAD scores as a heatmap, early layers on top; the best is in bold."""
    most = max(float(np.nanmax(np.abs(scores))), 1e-9)
    best = np.unravel_index(np.nanargmax(scores), scores.shape)
    texts = [
        [f"<b>{v:.3f}</b>" if (row, col) == best else f"{v:.3f}" for col, v in enumerate(values)]
        for row, values in enumerate(scores)
    ]
    figure = diverging_cells(scores, methods, layers, texts, most, dark)
    figure.update_traces(hovertemplate="%{x} at %{y}: %{text}<extra></extra>")
    figure.update_layout(height=90 + 30 * len(layers))
    return figure.update_xaxes(side="top")


def _tick(epochs: NDArray[np.int64]) -> int | None:
    """Whole epochs only where few fit."""
    return 1 if len(epochs) <= 8 else None


def _color(number: int) -> str:
    return CLASS_COLORS[number % len(CLASS_COLORS)]
