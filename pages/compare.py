"""Compare: two trained models on the same images; what the second fixes, and what it breaks."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st

from cifar_core import plots
from cifar_core.data.encode import data_uri
from cifar_core.evaluation.metrics import mcnemar_test
from cifar_core.evaluation.predictions import Predictions
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import Subject, pick_other, pick_split, pick_subject
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.session.boot import boot

boot(__file__)
MOST_SHOWN = 24


def matrices(first: Predictions, second: Predictions) -> None:
    """The second matrix less the first."""
    st.subheader("Difference of the matrices")
    st.caption("How many more images the second puts into each cell; green is better.")
    classes = first.examples.classes
    figure = plots.matrix_difference(first.matrix, second.matrix, classes, parts.dark())
    config = {**PLOT, "displayModeBar": False}
    st.plotly_chart(figure, key="difference", config=config, alt="Difference of the matrices")


def changed(
    first: Predictions, second: Predictions, rows: np.ndarray, title: str, subject: Subject
) -> None:
    """Images on which the two differ; a click opens the map of the one that is wrong there."""
    st.subheader(f"{title} ({len(rows):,})")
    if not len(rows):
        st.caption("None.")
        return
    query = {**subject.query, "split": split}
    shown = rows[np.argsort(-np.abs(second.losses - first.losses)[rows], kind="stable")]
    drawn = [tile(first, second, int(row), query) for row in shown[:MOST_SHOWN]]
    opened, _ = tiles(drawn, [], f"{title}-{subject.run.run_id}", pickable=False)
    if len(rows) > MOST_SHOWN:
        st.caption(f"The {MOST_SHOWN} whose loss changed most.")
    if opened is not None:
        st.switch_page("pages/gradcam.py", query_params={**query, "images": str(opened)})


def tile(first: Predictions, second: Predictions, row: int, query: dict[str, str]) -> Tile:
    """One image and what each model predicts."""
    examples = first.examples
    then, now = (examples.classes[predictions.predicted[row]] for predictions in (first, second))
    index = int(examples.indices[row])
    return Tile(
        id=index,
        src=data_uri(examples.pixels([row])[0]),
        href="gradcam?" + urlencode({**query, "images": index}),
        lines=(f"{then} → {now}", f"is {examples.classes[examples.labels[row]]}"),
        tip=f"{examples.name(row)}: {then}, then {now}",
    )


parts.heading("Compare", "Two models on the same images: what the second fixes and what it breaks.")
one = pick_subject()
two = pick_other(one)
if two is None:
    st.stop()
split = pick_split(one)
before, after = predictions_of(one, split), predictions_of(two, split)
if not np.array_equal(before.examples.indices, after.examples.indices):
    st.info("The two held out other images. Compare them on the test images.")
    st.stop()
parts.figures(
    {
        one.run.name: f"{before.acc:.2%}",
        two.run.name: f"{after.acc:.2%}",
    }
)
st.markdown(
    f"**{two.run.name}** against **{one.run.name}**: {mcnemar_test(before.correct, after.correct)}"
)
st.caption(f"{one.run.name}: {before} · {two.run.name}: {after}. Exact McNemar test, two-sided.")
matrices(before, after)
left, right = st.columns(2, gap="large")
with left:
    changed(before, after, np.flatnonzero(after.correct & ~before.correct), "Fixed", one)
with right:
    changed(before, after, np.flatnonzero(before.correct & ~after.correct), "Broken", two)
