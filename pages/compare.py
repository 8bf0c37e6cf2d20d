"""Compare: two trained models on the same images; which errors the second fixes or adds."""

import numpy as np
import streamlit as st

from cifar_core import plots
from cifar_core.evaluation.metrics import mcnemar_test
from cifar_core.evaluation.predictions import SPLIT_NAMES, Predictions
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import (
    Subject,
    select_other,
    select_split,
    select_subject,
)
from pages.ui.evaluation.error_tiles import labelled_tile
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.session import messages
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)
MAX_TILES = 24


def matrix_difference(first: Predictions, second: Predictions) -> None:
    """The second confusion matrix minus the first."""
    st.subheader("Confusion matrix difference")
    st.caption("Second model minus first, images per cell. Green: better. Red: worse.")
    classes = first.examples.classes
    figure = plots.matrix_difference(first.matrix, second.matrix, classes, parts.dark())
    config = {**PLOT, "displayModeBar": False}
    st.plotly_chart(figure, key="difference", config=config, alt="Confusion matrix difference")


def changed_images(
    first: Predictions, second: Predictions, rows: np.ndarray, title: str, subject: Subject
) -> None:
    """Images that only one model gets right; a click opens Grad-CAM of the one that is wrong."""
    st.subheader(f"{title} ({len(rows):,})")
    if not len(rows):
        st.caption("No images")
        return
    query = {**subject.query, "split": split}
    ordered = rows[np.argsort(-np.abs(second.losses - first.losses)[rows], kind="stable")]
    changed_tiles = [tile(first, second, int(row), query) for row in ordered[:MAX_TILES]]
    opened, _ = tiles(changed_tiles, [], f"{title}-{subject.run.run_id}", selectable=False)
    if len(rows) > MAX_TILES:
        st.caption(f"{MAX_TILES} of {len(rows):,} images, largest change in loss first")
    if opened is not None:
        st.switch_page("pages/gradcam.py", query_params={**query, "images": str(opened)})


def tile(first: Predictions, second: Predictions, row: int, query: dict[str, str]) -> Tile:
    """One image and what each model predicts."""
    examples = first.examples
    before, after = (examples.classes[model.predicted[row]] for model in (first, second))
    about = f"predicted {before}, then {after}"
    return labelled_tile(examples, row, f"{before} → {after}", about, query)


parts.heading("Compare", "Two models on the same images: errors fixed and errors added")
one = select_subject("split")
parts.name_tab(one.run.name, "Compare")
two = select_other(one)
if two is None:
    st.stop()
split = select_split(one)
first, second = predictions_of(one, split), predictions_of(two, split)
if not np.array_equal(first.examples.indices, second.examples.indices):
    messages.info(
        f"The two runs have different {SPLIT_NAMES[split]} images. Compare them on the test "
        "images.",
        icon=":material/compare:",
    )
    st.stop()
names = [plain(subject.run.name) for subject in (one, two)]
parts.metrics_row({names[0]: f"{first.acc:.2%}", names[1]: f"{second.acc:.2%}"})
st.markdown(f"**{names[1]}** vs. **{names[0]}**: {mcnemar_test(first.correct, second.correct)}")
st.caption(
    plain(f"{one.run.name}: {first} · {two.run.name}: {second}. Exact McNemar test, two-sided.")
)
matrix_difference(first, second)
st.caption(
    f"Below each image: prediction of {names[0]} → prediction of {names[1]}. Click an "
    "image for its Grad-CAM."
)
left, right = st.columns(2, gap="large")
with left:
    fixed = np.flatnonzero(second.correct & ~first.correct)
    changed_images(first, second, fixed, "Fixed", one)
with right:
    broken = np.flatnonzero(first.correct & ~second.correct)
    changed_images(first, second, broken, "Broken", two)
