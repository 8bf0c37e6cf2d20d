"""PCA and t-SNE of the features; a lasso opens images in the gallery."""

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
from pages.ui.components.curves import named_plot
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.predictions import features_or_offer
from pages.ui.evaluation.selections import open_images
from pages.ui.session import cache, cache_analysis, messages, url

MAX_POINTS = 10_000
KINDS = {"pca": "PCA", "tsne": "t-SNE"}
COLORS = {"true": "True class", "predicted": "Predicted class", "correct": "Correct or incorrect"}


def embedding(subject: Subject, predictions: Predictions) -> None:
    """The projection and its controls."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = url.select(
            "Projection", "project", list(KINDS), "pca", shown=KINDS.__getitem__, beside=True
        )
        color = url.select(
            "Color by", "color", list(COLORS), "true", shown=COLORS.__getitem__, beside=True
        )
    with parts.show_errors():
        coordinates = _coordinates(subject, predictions, kind)
    if coordinates is not None:
        _draw(subject, predictions, coordinates, color)


def _coordinates(
    subject: Subject, predictions: Predictions, kind: str
) -> NDArray[np.float32] | None:
    """(N, 2) coordinates; None if they have to be computed first, after the button for that."""
    try:
        if (
            kind == "tsne"
            and (tsne := cache_analysis.tsne_coordinates(subject.run, predictions)) is not None
        ):
            return tsne
    except CheckpointError as error:
        messages.warning(error, ":material/scatter_plot:")
    if features_or_offer(subject, predictions) is None:
        return None
    if kind == "pca":
        return cache_analysis.pca_coordinates(subject.run, predictions)
    st.write("Places images with similar features close together. About 15 s for 10,000 images.")
    run, name, split = subject.run, subject.checkpoint.name, predictions.examples.split
    jobs = jobs_on(cache.listing().runs(AnalysisJob), "embed", run, name, split=split)
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
    coordinates: NDArray[np.float32],
    color: str,
) -> None:
    rows = np.arange(len(coordinates))
    if len(rows) > MAX_POINTS:
        rows = np.sort(np.random.default_rng(0).permutation(len(rows))[:MAX_POINTS])
        st.caption(f"Random sample of {MAX_POINTS:,} of {len(coordinates):,} images")
    st.caption(
        "Each dot is an image; nearby images have similar features. Lasso to select images and "
        "open them in the gallery."
    )
    figure = _figure(predictions, coordinates[rows], rows, color)
    event = st.plotly_chart(
        figure,
        key=f"embedding-{color}-{subject.checkpoint.name}-{len(coordinates)}",
        config={**named_plot("embedding"), "scrollZoom": True},
        on_select="rerun",
        selection_mode=("lasso", "box"),
        alt="Embedding of the images",
    )
    selected = [int(rows[point["customdata"]]) for point in event["selection"]["points"]]
    if selected:
        indices = predictions.examples.indices[selected].tolist()
        open_images(subject, predictions.examples.split, indices, "loss")


def _figure(
    predictions: Predictions, coordinates: NDArray[np.float32], rows: NDArray[np.int64], color: str
) -> go.Figure:
    examples, predicted = predictions.examples, predictions.predicted
    correct = predictions.correct
    groups = {"true": examples.labels, "predicted": predicted, "correct": correct}[color]
    names = ("incorrect", "correct") if color == "correct" else examples.classes
    classes = examples.classes
    tips = [
        f"{examples.name(row)}: true {classes[examples.labels[row]]}, "
        f"predicted {classes[predicted[row]]}"
        for row in rows.tolist()
    ]
    return plots.embedding(
        coordinates,
        groups[rows].astype(np.int64),
        names,
        tips,
        by_correctness=color == "correct",
        dark=parts.dark(),
    )
