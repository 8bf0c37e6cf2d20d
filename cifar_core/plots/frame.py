"""What all plots share: colours, size, and how long lines are thinned."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

# Readable on both themes; blue and orange stay apart for most colour-blind people.
SPLIT_COLOURS = {"train": "#4a90d9", "val": "#e08a3c", "test": "#3aa57a"}
SPLIT_DASHES = {"train": "dot", "val": "solid", "test": "dash"}
RUN_COLOURS = (
    "#4a90d9",
    "#e08a3c",
    "#3aa57a",
    "#c75c91",
    "#8b78d6",
    "#8a97a5",
    "#b59b2b",
    "#49b6c4",
)
GREY = "#8a97a5"
LIGHT_PAGE, DARK_PAGE = (250, 248, 246), (30, 34, 42)
MAX_POINTS = 2000


def thin(values: NDArray[np.float64], max_points: int) -> NDArray[np.int64]:
    """Indices of at most `max_points` values, the smallest and largest of each bucket kept."""
    if len(values) <= max_points:
        return np.arange(len(values))
    size = -(-len(values) // (max_points // 2))
    last = values[-1:].repeat(-len(values) % size)
    buckets = np.concatenate((values, last)).reshape(-1, size)
    starts = np.arange(0, len(values), size)
    kept = np.concatenate((starts + buckets.argmin(axis=1), starts + buckets.argmax(axis=1)))
    return np.unique(np.minimum(kept, len(values) - 1))


def good_and_bad(dark: bool) -> list[tuple[float, str]]:
    """Colours from bad over the page's own to good, opaque, so that text on them can be read."""
    red, green, blue = DARK_PAGE if dark else LIGHT_PAGE
    return [(0, "#d9541e"), (0.5, f"rgb({red},{green},{blue})"), (1, "#3aa57a")]


def finish(figure: go.Figure, title: str) -> go.Figure:
    """The frame that all plots share."""
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
