"""Where images lie in the model's feature space; a line drawn around some opens them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.errors import CheckpointError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.jobs.launch_analysis import jobs_on, launch_embedding
from cifar_core.runs.store import AnalysisJob
from pages.ui.components import job, parts
from pages.ui.components.curves import PLOT
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.predictions import features_or_offer
from pages.ui.evaluation.selections import open_images
from pages.ui.session import cache, cache_analysis, url

MOST_DRAWN = 10_000
KINDS = {"pca": "PCA", "tsne": "Neighbours (t-SNE)"}
COLOURS = {"true": "True class", "predicted": "Predicted class", "right": "Right or wrong"}


def embedding(subject: Subject, table: Predictions) -> None:
    """The dots, coloured as asked for; a lasso leads to the gallery."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = url.select(
            "Projection", "project", list(KINDS), "pca", shown=KINDS.__getitem__, beside=True
        )
        colour = url.select(
            "Colour", "colour", list(COLOURS), "true", shown=COLOURS.__getitem__, beside=True
        )
    with parts.sentences():
        places = _places(subject, table, kind)
    if places is not None:
        _draw(subject, table, places, colour)


def _places(subject: Subject, table: Predictions, kind: str) -> NDArray[np.float32] | None:
    """Where the dots lie; None where that has to be found first, which is offered."""
    try:
        if kind == "tsne" and (there := cache_analysis.places(subject.run, table)) is not None:
            return there
    except CheckpointError as error:
        st.warning(str(error), icon=":material/scatter_plot:")
    if features_or_offer(subject, table) is None:
        return None
    if kind == "pca":
        return cache_analysis.principal_places(subject.run, table)
    st.write("Images that the model sees alike are put side by side; about 15 s for 10,000.")
    run, name, split = subject.run, subject.checkpoint.name, table.examples.split
    jobs = jobs_on(cache.listing().runs(AnalysisJob), "embed", run, name, split=split)
    job.offer(
        jobs,
        "Find the neighbours",
        ":material/scatter_plot:",
        lambda: launch_embedding(cache.root(), run, name, split),
        primary=True,
        again=True,
    )
    return None


def _draw(
    subject: Subject,
    table: Predictions,
    places: NDArray[np.float32],
    colour: str,
) -> None:
    rows = np.arange(len(places))
    if len(rows) > MOST_DRAWN:
        rows = np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST_DRAWN])
        st.caption(f"{MOST_DRAWN:,} of {len(places):,} images are drawn, chosen by chance.")
    st.caption(
        "Each dot is an image; what lies together is alike to the model. Draw a line around some "
        "to see them."
    )
    figure = _figure(table, places[rows], rows, colour)
    event = st.plotly_chart(
        figure,
        key=f"places-{colour}-{subject.checkpoint.name}-{len(places)}",
        config={**PLOT, "scrollZoom": True},
        on_select="rerun",
        selection_mode=("lasso", "box"),
        alt="Map of the images",
    )
    chosen = [int(rows[point["customdata"]]) for point in event["selection"]["points"]]
    if chosen:
        indices = table.examples.indices[chosen].tolist()
        open_images(subject, table.examples.split, indices, "loss")


def _figure(
    table: Predictions, places: NDArray[np.float32], rows: NDArray[np.int64], colour: str
) -> go.Figure:
    examples, predictions = table.examples, table.predictions
    groups = {"true": examples.labels, "predicted": predictions, "right": table.correct}[colour]
    names = ("wrong", "right") if colour == "right" else examples.classes
    classes = examples.classes
    tips = [
        f"{examples.name(row)}: {classes[examples.labels[row]]}, "
        f"taken for {classes[predictions[row]]}"
        for row in rows.tolist()
    ]
    return plots.embedding(
        places,
        groups[rows].astype(np.int64),
        names,
        tips,
        right_or_wrong=colour == "right",
        dark=parts.dark(),
    )
