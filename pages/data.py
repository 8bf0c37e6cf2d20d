"""Data: images by class and split, as tiles or contact sheets, and statistics."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import mean_std
from cifar_core.data.sheet import split_sheet
from pages.ui.components import images, parts
from pages.ui.components.curves import named_plot
from pages.ui.session import cache
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)
PER_PAGE = {"Tiles": 60, "Contact sheet": 600}
SHEET_COLUMNS, MOST_MATCHES = 30, 12


def find_image(data: Dataset, split: Split, part: str) -> None:
    """Finds an image by its index, or images by their file names."""
    index = st.number_input(
        "Go to index",
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
    text = st.text_input("Search file names", key=f"name-{part}", placeholder="cat/0012", width=200)
    if text:
        matches = np.flatnonzero(np.char.find(split.names, text) >= 0)
        first = f", first {MOST_MATCHES} shown" if len(matches) > MOST_MATCHES else ""
        st.caption(plain(f"{parts.count(len(matches), 'file name')} with {text!r}{first}"))
        drawn = matches[:MOST_MATCHES]
        names = [f"{split.names[index]}, {part} {index}" for index in drawn]
        images.tile_grid([split.images[index] for index in drawn], names, size=120)


def browse(data: Dataset, split: Split, part: str, indices: NDArray[np.int64]) -> None:
    """One page of the selected images."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            "View", list(PER_PAGE), default="Tiles", required=True, key="data-view"
        )
        size = PER_PAGE[view]
        pages = max(1, -(-len(indices) // size))
        page = st.number_input(
            "Page", 1, pages, 1, width=140, key=f"page-{part}-{view}-{len(indices)}"
        )
        st.caption(f"of {pages:,} · {len(indices):,} {part} images")
    drawn = indices[(page - 1) * size : page * size]
    st.download_button(
        "Download PNG",
        lambda: split_sheet(data, part, drawn),
        file_name=f"{data.name}-{part}-{page}.png",
        mime="image/png",
        icon=":material/download:",
        help="These images with their classes and indices.",
        on_click="ignore",
        disabled=not len(drawn),
    )
    if view == "Contact sheet":
        images.sheet(split.images[drawn], SHEET_COLUMNS, f"{len(drawn)} {part} images")
        st.caption(f"Index {drawn[0]:,} to {drawn[-1]:,}, row by row")
        return
    labels = [data.classes[split.labels[index]] for index in drawn]
    tips = [f"{label}, {part} image {index}" for label, index in zip(labels, drawn, strict=True)]
    images.tile_grid([split.images[index] for index in drawn], labels, tips)


def statistics(data: Dataset, split: Split, part: str, class_ids: tuple[int, ...]) -> None:
    """Mean and std per channel, class counts, pixel values, and the mean image per class."""
    names = ", ".join(data.classes[k] for k in class_ids)
    st.subheader(f"Statistics: {names}" if names else "Statistics")
    histogram = cache.histogram(split, class_ids)
    mean, std = mean_std(histogram)
    figures = {}
    for channel, m, s in zip(plots.CHANNEL_COLORS, mean, std, strict=True):
        figures[f"{channel.capitalize()} mean"] = f"{m:.4f}"
        figures[f"{channel.capitalize()} std"] = f"{s:.4f}"
    parts.metrics_row(figures)
    left, right = st.columns(2)
    counts = plots.class_counts(split.counts, data.classes)
    left.plotly_chart(
        counts, key=f"counts-{part}", config=named_plot(f"counts-{part}"), alt="Images per class"
    )
    values = plots.pixel_histogram(histogram)
    right.plotly_chart(
        values,
        key=f"values-{part}",
        config=named_plot(f"values-{part}"),
        alt="Histogram of pixel values",
    )
    normalization(data)
    st.markdown("**Mean image per class**")
    images.tile_grid(cache.means_of(split), data.classes)


def normalization(data: Dataset) -> None:
    """Mean and std of the training images, of the test images and of all, of each channel."""
    st.markdown("**Mean and std for normalization**")
    st.table(
        {
            "Images": ["Train", "Test", "All"],
            "Mean (red, green, blue)": [_row(mean) for mean, _ in data.split_statistics.values()],
            "Std (red, green, blue)": [_row(std) for _, std in data.split_statistics.values()],
        }
    )
    st.caption("A run uses those of the training images, unless its Normalization says otherwise.")


def _row(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.8f}" for value in values)


parts.heading("Data", "Browse the images by class and split: 32x32 pixels, 10 classes.")
data = parts.select_data()
with st.container(horizontal=True, vertical_alignment="bottom"):
    part = str(st.segmented_control("Split", ["train", "test"], default="train", required=True))
    split = data.train if part == "train" else data.test
    classes = st.pills(
        "Classes",
        data.classes,
        selection_mode="multi",
        help="Select none to see all classes.",
        wrap=True,
    )
    find_image(data, split, part)
class_ids = tuple(data.classes.index(name) for name in classes)
browse(data, split, part, np.flatnonzero(np.isin(split.labels, class_ids or range(10))))
statistics(data, split, part, class_ids)
with st.expander("Source and checksum", icon=":material/fingerprint:"):
    st.write(plain(f"{data.title}, source: {data.origin}"))
    st.code(f"train {data.train.fingerprint}\ntest  {data.test.fingerprint}", language=None)
    st.caption("SHA-256 of the sorted digests of all images and their labels.")
