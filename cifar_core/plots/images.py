"""Class counts and pixel histograms of images."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.plots.theme import SPLIT_COLORS, finish

CHANNEL_COLORS = {"red": "#e5484d", "green": "#30a46c", "blue": "#3e8be0"}


def class_counts(counts: NDArray[np.int64], classes: Sequence[str]) -> go.Figure:
    """Images per class as bars."""
    figure = go.Figure(go.Bar(x=list(classes), y=counts, marker={"color": SPLIT_COLORS["train"]}))
    return finish(figure, "Images per class")


def pixel_histogram(histogram: NDArray[np.int64]) -> go.Figure:
    """Share of each pixel value in red, green and blue; (3, 256) counts."""
    figure = go.Figure()
    for (name, color), row in zip(CHANNEL_COLORS.items(), histogram, strict=True):
        share = row / max(row.sum(), 1)
        line = {"color": color, "width": 1.5}
        figure.add_scatter(x=np.arange(256), y=share, name=name, mode="lines", line=line)
    figure.update_yaxes(tickformat=".1%")
    return finish(figure, "Pixel values, 0 to 255")
