"""Where images lie in the model's feature space; a line drawn around some opens them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.errors import CheckpointError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.jobs.launch_analysis import jobs_on, launch_embedding
from pages.ui.components import job, parts
from pages.ui.components.curves import PLOT
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.predictions import features_or_offer
from pages.ui.evaluation.selections import open_images
from pages.ui.session import cache, cache_analysis, url

MOST_DRAWN = 10_000
KINDS = {"pca": "PCA", "tsne": "Neighbours (t-SNE)"}
COLOURS = {"true": "True class", "predicted": "Predicted class", "correct": "Correct or incorrect"}


def embedding(subject: Subject, predictions: Predictions) -> None:
    """The dots, coloured as asked for; a lasso leads to the gallery."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = url.select(
            "Projection", "project", list(KINDS), "pca", shown=KINDS.__getitem__, beside=True
        )
        colour = url.select(
            "Colour", "colour", list(COLOURS), "true", shown=COLOURS.__getitem__, beside=True
        )
    with parts.sentences():
        places = _places(subject, predictions, kind)
    if places is not None:
        _draw(subject, predictions, places, colour)


def _places(subject: Subject, predictions: Predictions, kind: str) -> NDArray[np.float32] | None:
    """Where the dots lie; None where that has to be found first, which is offered."""
    try:
        if (
            kind == "tsne"
            and (there := cache_analysis.tsne_coordinates(subject.run, predictions)) is not None
        ):
            return there
    except CheckpointError as error:
        st.warning(str(error), icon=":material/scatter_plot:")
    if features_or_offer(subject, predictions) is None:
        return None
    if kind == "pca":
        return cache_analysis.pca_coordinates(subject.run, predictions)
    st.write("Images that the model sees alike are put side by side; about 15 s for 10,000.")
    run, name, split = subject.run, subject.checkpoint.name, predictions.examples.split
    jobs = jobs_on(cache.listing().runs("embed"), run, name, split=split)
    job.offer(
        jobs,
        "Compute t-SNE",
        ":material/scatter_plot:",
        lambda: launch_embedding(cache.root(), run, name, split),
        primary=True,
        again=True,
    )
    return None


def _draw(
    subject: Subject,
    predictions: Predictions,
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
    figure = _figure(predictions, places[rows], rows, colour)
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
        indices = predictions.examples.indices[chosen].tolist()
        open_images(subject, predictions.examples.split, indices, "loss")


def _figure(
    predictions: Predictions, places: NDArray[np.float32], rows: NDArray[np.int64], colour: str
) -> go.Figure:
    examples, predicted = predictions.examples, predictions.predicted
    groups = {"true": examples.labels, "predicted": predicted, "correct": predictions.correct}[
        colour
    ]
    names = ("incorrect", "correct") if colour == "correct" else examples.classes
    classes = examples.classes
    tips = [
        f"{examples.name(row)}: {classes[examples.labels[row]]}, "
        f"predicted {classes[predicted[row]]}"
        for row in rows.tolist()
    ]
    return plots.embedding(
        places,
        groups[rows].astype(np.int64),
        names,
        tips,
        by_correctness=colour == "correct",
        dark=parts.dark(),
    )
