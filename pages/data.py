"""Data: the images by class and split, counts, mean and standard deviation."""

import numpy as np
import streamlit as st

from cifar_core import plots
from cifar_core.data.dataset import mean_std
from pages.ui import images, parts
from pages.ui.boot import boot
from pages.ui.curves import PLOT

boot(__file__)
PER_PAGE = 60

parts.heading("Data", "What the models learn from: 32x32 pixels, ten classes.")
data = parts.pick_data()

with st.container(horizontal=True, vertical_alignment="bottom"):
    part = st.segmented_control("Split", ["train", "test"], default="train", required=True)
    split = data.train if part == "train" else data.test
    classes = st.pills(
        "Classes", data.classes, selection_mode="multi", help="None chosen: all.", wrap=True
    )
wanted = [data.classes.index(name) for name in classes] or range(10)
found = np.flatnonzero(np.isin(split.labels, list(wanted)))

pages = max(1, -(-len(found) // PER_PAGE))
with st.container(horizontal=True, vertical_alignment="center"):
    page = st.number_input("Page", 1, pages, 1, width=140, key=f"page-{part}-{classes}")
    st.caption(f"of {pages:,} · {len(found):,} {part} images")
shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
labels = [data.classes[split.labels[index]] for index in shown]
images.tile_grid(
    [split.images[index] for index in shown],
    labels,
    [f"{label}, {part} image {index}" for label, index in zip(labels, shown, strict=True)],
)

st.subheader("Statistics")
mean, std = mean_std(split.histogram)
figures = {}
for channel, m, s in zip(plots.CHANNEL_COLOURS, mean, std, strict=True):
    figures[f"{channel.capitalize()}, mean"] = f"{m:.4f}"
    figures[f"{channel.capitalize()}, std"] = f"{s:.4f}"
parts.figures(figures)
left, right = st.columns(2)
counts = plots.class_counts(split.counts, data.classes)
left.plotly_chart(counts, key=f"counts-{part}", config=PLOT, alt="Images per class")
values = plots.pixel_histogram(split.histogram)
right.plotly_chart(values, key=f"values-{part}", config=PLOT, alt="How often each value occurs")
with st.expander("Where it comes from", icon=":material/fingerprint:"):
    st.write(f"{data.title}, from `{data.origin}`.")
    st.code(f"train {data.train.fingerprint}\ntest  {data.test.fingerprint}", language=None)
    st.caption("SHA-256 over the sorted digests of all images with their labels.")
