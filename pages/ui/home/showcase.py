"""A trained model at a glance: its confusion matrix, and its most confident errors with maps."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import is_ready
from cifar_core.data.arrays import Pixels
from cifar_core.errors import CifarCoreError
from cifar_core.evaluation.available import available_file
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.error_maps import ErrorMaps, error_maps, read_error_maps
from cifar_core.explain.gradcam import CamMaps, Target, scaled_together
from cifar_core.explain.layers import default_layer
from cifar_core.explain.overlay import heatmap, overlay
from cifar_core.report.card import ModelCard, read_card
from cifar_core.runs.store import TrainingRun
from pages.ui.components import parts
from pages.ui.components.images import captioned_row, picture
from pages.ui.evaluation.summary import matrix_plot, open_cell
from pages.ui.session import cache_analysis
from pages.ui.session.messages import plain

NUM_ERRORS = 3
NUM_LOOKED_AT = 20  # own runs, for the newest one with predictions
OPACITY = 0.7


@dataclass(frozen=True, eq=False)
class Showcase:
    """What Home shows of a run.

    Attributes:
        acc: On the test images, 0..1.
        about: What it is, in a line.
        matrix: (K, K) confusion matrix of the test images; row: true, column: predicted.
        predictions: None if they were not read yet: the card of a shipped run has the matrix.
    """

    run: TrainingRun
    acc: float
    about: str
    classes: Sequence[str]
    matrix: NDArray[np.int64]
    query: dict[str, str]
    predictions: Predictions | None


def shipped_cards(runs: Sequence[TrainingRun]) -> dict[str, ModelCard]:
    """The cards of the shipped runs by their ids; damaged ones are left out."""
    cards = {}
    for run in runs:
        with contextlib.suppress(CifarCoreError):
            if run.is_shipped and (card := read_card(run.path)):
                cards[run.run_id] = card
    return cards


def find_showcase(runs: Sequence[TrainingRun], cards: dict[str, ModelCard]) -> Showcase | None:
    """The newest run of one's own that has ended, else the best shipped one; None if there is none.

    Shipped ones whose images are here come first.

    Args:
        runs: Those that have a checkpoint, newest first.
        cards: As `shipped_cards`.
    """
    own = [run for run in runs if not run.is_shipped and not run.state.is_active]
    for run in own[:NUM_LOOKED_AT]:
        if predictions := _predictions(run):
            return _of_predictions(run, predictions)
    shipped = [(run, cards[run.run_id]) for run in runs if run.run_id in cards]
    best = max(shipped, key=lambda one: _preference(*one), default=None)
    return _of_card(*best) if best else None


def _preference(run: TrainingRun, card: ModelCard) -> tuple[bool, bool, float]:
    """Images that are here, then photographs before Shapes-10, then the accuracy."""
    return _has_images(run), run.config.data == "cifar10", card.test_acc


def _has_images(run: TrainingRun) -> bool:
    """Whether a run's images are here; Shapes-10 is drawn where it is needed."""
    try:
        return run.config.data == "shapes10" or is_ready(run.config.data)
    except CifarCoreError:
        return False


def _predictions(run: TrainingRun) -> Predictions | None:
    """A run's predictions for the test images; None if it has none, or its data are not here."""
    try:
        checkpoint = find_checkpoint(run.path, "best")
        if available_file(run, checkpoint):
            return cache_analysis.predictions(run, checkpoint, "test")
    except CifarCoreError:
        pass
    return None


def _of_predictions(run: TrainingRun, predictions: Predictions) -> Showcase:
    about = f"{run.config.model} on {predictions.note.data}, your newest run"
    query = {"run": run.run_id, "checkpoint": predictions.checkpoint.name, "split": "test"}
    classes, matrix = predictions.examples.classes, predictions.matrix
    return Showcase(run, predictions.acc, about, classes, matrix, query, predictions)


def _of_card(run: TrainingRun, card: ModelCard) -> Showcase:
    about = f"{card.model} on {card.data}, {card.num_params:,} parameters, came with the app"
    query = {"run": run.run_id, "checkpoint": card.checkpoint, "split": "test"}
    matrix = np.array(card.matrix, np.int64)
    return Showcase(run, card.test_acc, about, card.classes, matrix, query, None)


def showcase(shown: Showcase) -> None:
    """Draws it: a cell leads to its images, an error to its maps."""
    st.subheader(f"{plain(shown.run.name)}: {shown.acc:.2%} test accuracy")
    st.caption(plain(shown.about))
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.markdown("**What it confuses.** Click a cell to see its images.")
        figure = plots.confusion(shown.matrix, shown.classes, dark=parts.dark())
        if cell := matrix_plot(figure, "home-confusion"):
            open_cell(shown.classes[cell[0]], shown.classes[cell[1]], shown.query)
    with right:
        st.markdown("**What it was surest of, and wrong.** Where the network looked:")
        if shown.predictions is None and _has_images(shown.run):
            with st.spinner("Loading images …"):  # draws Shapes-10 the first time
                shown = replace(shown, predictions=_predictions(shown.run))
        _errors(shown)


def _errors(shown: Showcase) -> None:
    """The most confident errors, each with the map of the predicted and of the true class."""
    maps = _maps_of(shown)
    if maps is None or not len(maps.indices):
        st.caption("No errors, or no maps of them.")
        return
    for n in range(min(NUM_ERRORS, len(maps.indices))):
        _error(shown, maps, n)
    if shown.predictions is None:
        st.caption("The images are not here: get CIFAR-10 below. Maps alone are shown.")
    st.page_link(
        "pages/gallery.py",
        label="All errors",
        icon=":material/photo_library:",
        query_params={**shown.query, "show": "errors", "sort": "confidence"},
    )


def _maps_of(shown: Showcase) -> ErrorMaps | None:
    """The maps that came with the run, else computed; None if there are none."""
    try:
        return read_error_maps(shown.run.path)
    except CifarCoreError:
        return None if shown.predictions is None else _computed(shown.predictions)


def _computed(predictions: Predictions) -> ErrorMaps:
    checkpoint = predictions.checkpoint
    with parts.show_errors(), st.spinner("Computing maps; the first takes about 10 s …"):
        layer = default_layer(cache_analysis.layers(checkpoint)).name

        def compute(pixels: Pixels, targets: Sequence[Target]) -> CamMaps:
            return cache_analysis.maps(checkpoint, pixels, layer, tuple(targets), "GradCAM")

        return error_maps(predictions, layer, compute, NUM_ERRORS)


def _error(shown: Showcase, maps: ErrorMaps, n: int) -> None:
    true, predicted = shown.classes[maps.true[n]], shown.classes[maps.predicted[n]]
    pixels = None
    if shown.predictions is not None:
        pixels = shown.predictions.examples.pixels([int(maps.indices[n])])[0]
    scaled = scaled_together([maps.for_predicted[n], maps.for_true[n]])
    drawn = [heatmap(c) if pixels is None else overlay(pixels, c, OPACITY, 1) for c in scaled]
    name = f"test {maps.indices[n]}"
    cells = [
        (_image(pixels, f"{name}, {true}"), f"true: {true}"),
        (picture(drawn[0], f"Grad-CAM of {name} for {predicted}"), f"why {predicted}"),
        (picture(drawn[1], f"Grad-CAM of {name} for {true}"), f"why {true}"),
    ]
    st.html(captioned_row(cells, 150))
    st.page_link(
        "pages/gradcam.py",
        label=f"Predicted {predicted} ({maps.confidence[n]:.0%}), is {true}",
        icon=":material/center_focus_strong:",
        query_params={**shown.query, "images": str(maps.indices[n])},
    )


def _image(pixels: NDArray[np.uint8] | None, tip: str) -> str:
    if pixels is not None:
        return picture(pixels, tip)
    style = "aspect-ratio:1;border:1px dashed rgba(128,128,128,.6);border-radius:6px;display:grid"
    text = "image needs CIFAR-10"
    return f'<div style="{style};place-items:center;font-size:.75rem;padding:4px">{text}</div>'
