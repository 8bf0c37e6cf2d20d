"""The curve of an LR test."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cifar_core.lr_finder.curve import LRCurve
from cifar_core.lr_finder.suggest import Suggestion
from cifar_core.plots.theme import GRAY, RUN_COLORS, SPLIT_COLORS, finish
from cifar_core.records.records import LRPoint

BAND = "rgba(74,144,217,.18)"


def lr_test(
    points: Sequence[LRPoint],
    curve: LRCurve,
    suggestions: Sequence[Suggestion] = (),
    lr_range: tuple[float, float] | None = None,
    own: float | None = None,
) -> go.Figure:
    """Loss against the learning rate on a log scale.

    Args:
        points: Of the test so far; the raw loss of each batch is drawn faintly.
        curve: Drawn as a line, with a band from the lowest to the highest seed.
        suggestions: Marked on the curve, each with its rule.
        lr_range: The test's first and last learning rate, so that the axis does not move.
        own: A learning rate chosen by hand.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[p.lr for p in points],
        y=[p.raw for p in points],
        name="per batch",
        mode="markers",
        marker={"color": GRAY, "size": 4, "opacity": 0.6},
    )
    if curve.num_seeds > 1:
        _add_band(figure, curve)
    figure.add_scatter(
        x=curve.lrs,
        y=curve.losses,
        name="smoothed" if curve.num_seeds < 2 else f"median of {curve.num_seeds} seeds",
        mode="lines+markers",  # a marker can be clicked
        marker={"size": 7, "opacity": 0},
        line={"color": SPLIT_COLORS["train"], "width": 2.5},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
    )
    for number, suggestion in enumerate(suggestions):
        _mark(figure, suggestion, curve.losses[suggestion.index], RUN_COLORS[1 + number])
    if own:
        figure.add_vline(x=own, line={"width": 2, "color": GRAY})
        at = {"x": float(np.log10(own)), "y": 1, "yref": "paper", "yanchor": "bottom"}
        figure.add_annotation(text="your LR", showarrow=False, font={"size": 11}, **at)
    if lr_range:
        figure.update_xaxes(range=np.log10(lr_range).tolist())
    figure.update_xaxes(type="log", title="Learning rate", exponentformat="power", dtick=1)
    figure.update_xaxes(tickfont={"size": 12})
    if curve.losses:
        # A diverged loss would flatten the part that matters.
        figure.update_yaxes(range=_loss_range(curve.losses))
    figure = finish(figure, "Loss vs. learning rate")
    return figure.update_layout(
        hovermode="closest", legend={"y": -0.25}, clickmode="event+select", dragmode="zoom"
    )


def _add_band(figure: go.Figure, curve: LRCurve) -> None:
    """The band from the lowest to the highest seed."""
    style = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=curve.lrs, y=curve.high, **style)
    figure.add_scatter(x=curve.lrs, y=curve.low, fill="tonexty", fillcolor=BAND, **style)


def _loss_range(smoothed: Sequence[float]) -> tuple[float, float]:
    """From below the lowest loss to well above the first ones."""
    start, low = float(np.median(smoothed[:10])), min(smoothed)
    return low - 0.1 * max(start - low, 0.1), max(start, low) + 0.6 * max(start - low, 0.5)


def _mark(figure: go.Figure, suggestion: Suggestion, loss: float, color: str) -> None:
    figure.add_vline(x=suggestion.lr, line={"width": 1, "dash": "dot", "color": color})
    figure.add_scatter(
        x=[suggestion.lr],
        y=[loss],
        name=f"{suggestion.rule}: {suggestion.lr:.2g}",
        mode="markers",
        marker={"color": color, "size": 12, "line": {"width": 2, "color": "white"}},
    )
