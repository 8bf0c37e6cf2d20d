"""The confusion matrix and per-class bars."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.plots.theme import DARK_PAGE, LIGHT_PAGE, SPLIT_COLORS, finish, readable_on

CORRECT_RGB, ERROR_RGB = (58, 165, 122), (217, 84, 30)


def class_accuracies(accs: NDArray[np.float64], classes: Sequence[str]) -> go.Figure:
    """Accuracy of each class as bars, the best on top."""
    order = np.argsort(-np.nan_to_num(accs), kind="stable")
    figure = _bars([str(classes[k]) for k in order], accs[order])
    return finish(figure, "Accuracy per class")


def top_classes(names: Sequence[str], probs: NDArray[np.floating]) -> go.Figure:
    """The most probable classes as bars, the first on top."""
    return finish(_bars(names, probs), "Predicted classes").update_layout(height=240)


def _bars(names: Sequence[str], shares: NDArray[np.floating]) -> go.Figure:
    """Shares, 0..1, as bars from the top down."""
    bar = go.Bar(
        x=shares,
        y=list(names),
        orientation="h",
        marker={"color": SPLIT_COLORS["train"]},
        text=["no images" if np.isnan(share) else f"{share:.1%}" for share in shares],
        textposition="auto",
        hoverinfo="skip",
    )
    figure = go.Figure(bar).update_xaxes(tickformat=".0%", range=[0, 1])
    return figure.update_yaxes(autorange="reversed")


def confusion(
    matrix: NDArray[np.int64],
    classes: Sequence[str],
    *,
    normalized: bool = False,
    dark: bool = False,
) -> go.Figure:
    """The confusion matrix, correct cells green and errors red; each cell can be clicked.

    Streamlit 1.67 reports no clicks on a heatmap, so invisible markers lie over the cells; their
    `customdata` is (true, predicted).

    Args:
        normalized: Whether to normalize by row: shares of each true class instead of counts.
        dark: Whether the page is dark.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colors = _cell_colors(shares, dark)
    figure = go.Figure()
    cells = [(t, p) for t in range(len(classes)) for p in range(len(classes))]
    figure.add_scatter(
        x=[classes[p] for _, p in cells],
        y=[classes[t] for t, _ in cells],
        customdata=cells,
        hovertext=[f"{classes[t]} predicted as {classes[p]}: {matrix[t, p]:,}" for t, p in cells],
        hoverinfo="text",
        mode="markers+text",
        text=[f"{shares[c]:.0%}" if normalized else f"{matrix[c]:,}" for c in cells],
        textfont={"size": 11, "color": [readable_on(colors[c]) for c in cells]},
        marker={"size": 34, "opacity": 0, "symbol": "square"},
        # Streamlit fades what was not clicked; no cell should look selected.
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}, "textfont": {}},
        showlegend=False,
    )
    finish(figure, "").update_layout(
        height=470,
        hovermode="closest",
        clickmode="event+select",
        dragmode=False,
        title=None,
        shapes=[_square(*cell, colors[cell]) for cell in cells],
    )
    edges = [-0.5, len(classes) - 0.5]
    figure.update_yaxes(
        range=edges[::-1], showgrid=False, ticks="", title="True label", zeroline=False
    )
    figure.update_xaxes(range=edges, side="top", showgrid=False, ticks="", tickangle=-45)
    return figure.update_xaxes(title="Predicted label", zeroline=False)


def _square(true: int, predicted: int, color: NDArray[np.float64]) -> dict[str, Any]:
    """The colored background of a cell."""
    red, green, blue = color
    return {
        "x0": predicted - 0.47,
        "x1": predicted + 0.47,
        "y0": true - 0.47,
        "y1": true + 0.47,
        "fillcolor": f"rgb({red:.0f},{green:.0f},{blue:.0f})",
        "line": {"width": 0},
        "layer": "below",
    }


def _cell_colors(shares: NDArray[np.float64], dark: bool) -> NDArray[np.float64]:
    """(K, K, 3) RGB: from the page's color to green if correct and red if not.

    Errors are scaled by the most frequent one: next to the diagonal all would be pale.
    """
    diagonal = np.eye(len(shares), dtype=bool)
    most = max(shares[~diagonal].max(initial=0), 1e-9)
    strength = np.where(diagonal, shares, shares / most)[..., None] ** 0.8
    full = np.where(diagonal[..., None], CORRECT_RGB, ERROR_RGB)
    return (1 - strength) * np.array(DARK_PAGE if dark else LIGHT_PAGE) + strength * full
