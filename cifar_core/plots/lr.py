"""The curve of an LR test."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cifar_core.plots.frame import GREY, SPLIT_COLOURS, finish
from cifar_core.records import LRPoint
from cifar_core.suggest import Suggestion


def lr_test(
    points: Sequence[LRPoint],
    smoothed: Sequence[float],
    suggestion: Suggestion | None = None,
    lr_range: tuple[float, float] | None = None,
) -> go.Figure:
    """Loss over the learning rate, the latter on a log scale.

    Args:
        points: Of the test so far; the loss of each single batch is drawn faintly.
        smoothed: A loss for each point, drawn as the curve.
        suggestion: Marked on the curve.
        lr_range: The test's first and last learning rate, so that the axis stands still.
    """
    lrs, raw = [p.lr for p in points], [p.raw for p in points]
    figure = go.Figure()
    figure.add_scatter(
        x=lrs,
        y=raw,
        name="each batch",
        mode="markers",
        marker={"color": GREY, "size": 4, "opacity": 0.6},
    )
    figure.add_scatter(
        x=lrs,
        y=list(smoothed),
        name="smoothed",
        mode="lines",
        line={"color": SPLIT_COLOURS["train"], "width": 2.5},
    )
    if suggestion:
        _mark(figure, suggestion, smoothed[suggestion.index])
    if lr_range:
        figure.update_xaxes(range=np.log10(lr_range).tolist())
    figure.update_xaxes(type="log", title="Learning rate", exponentformat="power", dtick=1)
    figure.update_xaxes(tickfont={"size": 12})
    if points:
        # What a diverged loss reaches would press the part worth looking at flat.
        figure.update_yaxes(range=_loss_range(smoothed))
    figure = finish(figure, "Loss over the learning rate")
    return figure.update_layout(hovermode="closest", legend={"y": -0.25})


def _loss_range(smoothed: Sequence[float]) -> tuple[float, float]:
    """From below the lowest loss to well above the first ones."""
    start, low = float(np.median(smoothed[:10])), min(smoothed)
    return low - 0.1 * max(start - low, 0.1), max(start, low) + 0.6 * max(start - low, 0.5)


def _mark(figure: go.Figure, suggestion: Suggestion, loss: float) -> None:
    figure.add_vline(x=suggestion.lr, line={"width": 1, "dash": "dot", "color": GREY})
    figure.add_scatter(
        x=[suggestion.lr],
        y=[loss],
        name=f"suggested: {suggestion.lr:.2g}",
        mode="markers",
        marker={"color": SPLIT_COLOURS["val"], "size": 12, "line": {"width": 2, "color": "white"}},
    )
