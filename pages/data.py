"""Data: the images by class and split, as tiles or as sheets, and statistics of any selection."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import mean_std
from pages.ui.components import images, parts
from pages.ui.components.curves import PLOT
from pages.ui.session import cache
from pages.ui.session.boot import boot

boot(__file__)
PER_PAGE = {"Tiles": 60, "Contact sheet": 600}
SHEET_COLUMNS, MOST_FOUND = 30, 12


def find_one(data: Dataset, split: Split, part: str) -> None:
    """One image by its index, large, or some by the names of their files."""
    index = st.number_input(
        "Find an index",
        0,
        len(split) - 1,
        None,
        key=f"find-{part}",
        width=200,
        placeholder=f"0 to {len(split) - 1:,}",
    )
    if index is not None:
        label = data.classes[split.labels[index]]
        images.tile_grid([split.images[index]], [f"{label}, {part} {index}"], size=192)
    if split.names is None:
        return
    text = st.text_input("Find a file", key=f"name-{part}", placeholder="cat/0012", width=200)
    if text:
        found = np.flatnonzero(np.char.find(split.names, text) >= 0)
        st.caption(f"{len(found):,} names have {text!r} in them.")
        shown = found[:MOST_FOUND]
        names = [f"{split.names[index]}, {part} {index}" for index in shown]
        images.tile_grid([split.images[index] for index in shown], names, size=120)


def browse(data: Dataset, split: Split, part: str, found: NDArray[np.int64]) -> None:
    """A page of the selection."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            "View", list(PER_PAGE), default="Tiles", required=True, key="data-view"
        )
        size = PER_PAGE[view]
        pages = max(1, -(-len(found) // size))
        page = st.number_input(
            "Page", 1, pages, 1, width=140, key=f"page-{part}-{view}-{len(found)}"
        )
        st.caption(f"of {pages:,} · {len(found):,} {part} images")
    shown = found[(page - 1) * size : page * size]
    if view == "Contact sheet":
        images.sheet(split.images[shown], SHEET_COLUMNS, f"{len(shown)} {part} images")
        st.caption(f"Indices {shown[0]:,} to {shown[-1]:,}, row by row.")
        return
    labels = [data.classes[split.labels[index]] for index in shown]
    tips = [f"{label}, {part} image {index}" for label, index in zip(labels, shown, strict=True)]
    images.tile_grid([split.images[index] for index in shown], labels, tips)


def statistics(data: Dataset, split: Split, part: str, wanted: tuple[int, ...]) -> None:
    """Moments, class balance, values, and the mean image of each class."""
    names = ", ".join(data.classes[k] for k in wanted)
    st.subheader(f"Statistics of {names}" if names else "Statistics")
    histogram = cache.histogram(split, wanted)
    mean, std = mean_std(histogram)
    figures = {}
    for channel, m, s in zip(plots.CHANNEL_COLOURS, mean, std, strict=True):
        figures[f"{channel.capitalize()}, mean"] = f"{m:.4f}"
        figures[f"{channel.capitalize()}, std"] = f"{s:.4f}"
    parts.figures(figures)
    left, right = st.columns(2)
    counts = plots.class_counts(split.counts, data.classes)
    left.plotly_chart(counts, key=f"counts-{part}", config=PLOT, alt="Images per class")
    values = plots.pixel_histogram(histogram)
    right.plotly_chart(values, key=f"values-{part}", config=PLOT, alt="How often each value occurs")
    st.markdown("**Mean image of each class**")
    images.tile_grid(cache.means_of(split), data.classes)


parts.heading("Data", "What the models learn from: 32x32 pixels, ten classes.")
data = parts.pick_data()
with st.container(horizontal=True, vertical_alignment="bottom"):
    part = str(st.segmented_control("Split", ["train", "test"], default="train", required=True))
    split = data.train if part == "train" else data.test
    classes = st.pills(
        "Classes", data.classes, selection_mode="multi", help="None chosen: all.", wrap=True
    )
    find_one(data, split, part)
wanted = tuple(data.classes.index(name) for name in classes)
browse(data, split, part, np.flatnonzero(np.isin(split.labels, wanted or range(10))))
statistics(data, split, part, wanted)
with st.expander("Where it comes from", icon=":material/fingerprint:"):
    st.write(f"{data.title}, from `{data.origin}`.")
    st.code(f"train {data.train.fingerprint}\ntest  {data.test.fingerprint}", language=None)
    st.caption("SHA-256 over the sorted digests of all images with their labels.")
