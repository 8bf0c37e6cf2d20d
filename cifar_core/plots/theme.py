"""Colors, layout and downsampling shared by all plots."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

# Readable on both themes; blue and orange differ for most color-blind people.
SPLIT_COLORS = {"train": "#4a90d9", "val": "#e08a3c", "test": "#3aa57a"}
SPLIT_DASHES = {"train": "dot", "val": "solid", "test": "dash"}
RUN_COLORS = (
    "#4a90d9",
    "#e08a3c",
    "#3aa57a",
    "#c75c91",
    "#8b78d6",
    "#8a97a5",
    "#b59b2b",
    "#49b6c4",
)
GRAY = "#8a97a5"
LIGHT_PAGE, DARK_PAGE = (250, 248, 246), (30, 34, 42)
MAX_POINTS = 2000


def thin(values: NDArray[np.float64], max_points: int) -> NDArray[np.int64]:
    """Indices of at most `max_points` values, with the minimum and maximum of each bucket."""
    if len(values) <= max_points:
        return np.arange(len(values))
    size = -(-len(values) // (max_points // 2))
    last = values[-1:].repeat(-len(values) % size)
    buckets = np.concatenate((values, last)).reshape(-1, size)
    starts = np.arange(0, len(values), size)
    indices = np.concatenate((starts + buckets.argmin(axis=1), starts + buckets.argmax(axis=1)))
    return np.unique(np.minimum(indices, len(values) - 1))


def diverging_scale(dark: bool) -> list[tuple[float, str]]:
    """Color scale from red over the page's color to green, opaque so that text is readable."""
    red, green, blue = DARK_PAGE if dark else LIGHT_PAGE
    return [(0, "#d9541e"), (0.5, f"rgb({red},{green},{blue})"), (1, "#3aa57a")]


def readable_on(color: NDArray[np.float64]) -> str:
    """Black or white, whichever differs more from (3,) RGB, 0..255: always at least 4.5:1.

    Source: WCAG 2.2, relative luminance; black and white are equally far at 0.179.
    """
    scaled = color / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    return "#000000" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "#ffffff"


def diverging_cells(
    values: NDArray[np.number],
    x: Sequence[str],
    y: Sequence[str],
    texts: Sequence[Sequence[str]],
    most: float,
    dark: bool,
) -> go.Figure:
    """A heatmap of (Y, X) values in the colors of `diverging_scale`, from -most to most.

    The texts are a trace of their own: a heatmap writes all texts in one color.
    """
    heat = go.Heatmap(
        z=values,
        x=list(x),
        y=list(y),
        zmin=-most,
        zmax=most,
        colorscale=diverging_scale(dark),
        showscale=False,
        hoverinfo="skip",
    )
    cells = [(row, column) for row in range(len(y)) for column in range(len(x))]
    written = go.Scatter(
        x=[x[column] for _, column in cells],
        y=[y[row] for row, _ in cells],
        text=[texts[row][column] for row, column in cells],
        mode="text",
        textfont={"color": [readable_on(_mixed(values[c] / most, dark)) for c in cells]},
        showlegend=False,
    )
    figure = finish(go.Figure([heat, written]), "")
    figure.update_layout(hovermode="closest", dragmode=False, title=None)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    return figure.update_xaxes(showgrid=False, ticks="")


def _mixed(share: float, dark: bool) -> NDArray[np.float64]:
    """The RGB of `diverging_scale` at -1..1."""
    bad, good = np.array([217.0, 84, 30]), np.array([58.0, 165, 122])
    page, end = np.array(DARK_PAGE if dark else LIGHT_PAGE, np.float64), good if share > 0 else bad
    return page + min(abs(float(np.nan_to_num(share))), 1.0) * (end - page)


def finish(figure: go.Figure, title: str) -> go.Figure:
    """Applies title and layout shared by all plots."""
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xanchor": "left"},
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        height=330,
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.14, "x": 0},
        uirevision="keep",
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure
