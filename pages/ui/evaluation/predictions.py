"""Predictions and features of a checkpoint, or the button that computes them."""

from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.errors import CheckpointError
from cifar_core.evaluation.available import available_file
from cifar_core.evaluation.predictions import (
    SPLIT_NAMES,
    Predictions,
    find_predictions,
    has_predictions,
)
from cifar_core.jobs.launch_analysis import jobs_on, launch_evaluation
from cifar_core.runs.store import AnalysisJob, TrainingRun
from pages.ui.components import job, parts
from pages.ui.evaluation.checkpoint_picker import Subject, label
from pages.ui.session import cache, cache_analysis, messages, url
from pages.ui.session.messages import plain


def predictions_of(subject: Subject, split: str) -> Predictions:
    """Predictions on a split; where there are none, ends the page with the button for them."""
    predictions = _read_predictions(subject, split)
    if predictions is None:
        _offer_evaluation(subject, split)
    return predictions


def _read_predictions(subject: Subject, split: str) -> Predictions | None:
    """Predictions on a split; None if they are missing, or damaged, which is shown."""
    run, checkpoint, flip = subject.run, subject.checkpoint, subject.flip
    if not available_file(run, checkpoint, split, flip):
        return None
    with parts.show_errors():
        try:
            return cache_analysis.predictions(run, checkpoint, split, flip)
        except CheckpointError as error:
            if has_predictions(find_predictions(run, checkpoint.name, split, flip)):
                messages.error(error)  # what the epoch left is no evaluation that was damaged
    return None


def open_evaluation(run: TrainingRun) -> None:
    """Opens a run's evaluation on the test images; starts it if nothing is known of them."""
    checkpoint = find_checkpoint(run.path, "best")
    if not available_file(run, checkpoint):
        launch_evaluation(cache.root(), run, checkpoint.name, "test")
    url.go("pages/evaluation.py", run=run.run_id, checkpoint=checkpoint.name)


def _offer_evaluation(subject: Subject, split: str) -> NoReturn:
    """Progress of the evaluation, or the button that starts it; ends the page."""
    with st.container(border=True, vertical_alignment="center"):
        st.write(
            f"**{plain(subject.run.name)}** ({plain(label(subject.checkpoint))}) has not been "
            f"evaluated on the {SPLIT_NAMES[split]} images"
            f"{' with TTA (flip)' if subject.flip else ''} yet."
        )
        _evaluate_button(subject, split, "Evaluate")
    st.stop()


def _evaluate_button(subject: Subject, split: str, text: str) -> None:
    run, name, flip = subject.run, subject.checkpoint.name, subject.flip
    jobs = jobs_on(cache.listing().runs(AnalysisJob), "evaluate", run, name, split=split, flip=flip)
    job.offer(
        jobs,
        text,
        ":material/fact_check:",
        lambda: launch_evaluation(cache.root(), run, name, split, flip),
        primary=True,
        again=True,
    )


def features_or_offer(subject: Subject, predictions: Predictions) -> NDArray[np.float32] | None:
    """(N, D) features of the same images; where there are none, why, and the button for them."""
    try:
        return cache_analysis.features(subject.run, predictions)
    except CheckpointError as error:
        messages.info(error, ":material/scatter_plot:")
        _evaluate_button(subject, predictions.examples.split, "Compute features")
        return None
