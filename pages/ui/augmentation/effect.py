"""The effect of the builder's augmentation on a trained model's accuracy."""

from collections.abc import Sequence

import streamlit as st

from cifar_core import plots
from cifar_core.augment import AugmentSpec
from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.augmentation_effect import NUM_IMAGES, Effect
from cifar_core.jobs.launch_analysis import jobs_on, launch_effect
from cifar_core.runs.store import AnalysisJob, Run, TrainingRun
from pages.ui.components import images, job, parts
from pages.ui.components.curves import named_plot
from pages.ui.session import cache, messages
from pages.ui.session.messages import plain

MOST_SHOWN = 40


def effect(spec: AugmentSpec) -> None:
    """Picks a run, and evaluates it on augmented test images or shows the result."""
    st.subheader("Effect on a trained model")
    listing = cache.listing()
    trained = {run.run_id: run for run in listing.trained()}
    if not trained:
        st.caption("Train a model first to see its accuracy under this augmentation.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/play_circle:")
        return
    if not spec.pixel:
        st.caption("Add an operation on single images to measure its effect.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run_id = st.selectbox(
            "Run", list(trained), format_func=lambda r: trained[r].name, key="effect-run"
        )
        run = trained[run_id]
        with parts.show_errors():
            checkpoint = find_checkpoint(run.path).name
        jobs = jobs_on(listing.runs(AnalysisJob), "effect", run, checkpoint, augment=spec)
        busy = bool(jobs) and jobs[0].state.is_active
        done = None if busy else _offer(jobs, run, checkpoint, spec)
    if busy:
        _offer(jobs, run, checkpoint, spec)
    elif done:
        with parts.show_errors():
            _show(cache.effect(done.path), run)


def _offer(
    jobs: Sequence[AnalysisJob], run: TrainingRun, checkpoint: str, spec: AugmentSpec
) -> Run | None:
    return job.offer(
        jobs,
        f"Evaluate on {NUM_IMAGES:,} test images",
        ":material/science:",
        lambda: launch_effect(cache.root(), run, checkpoint, spec),
    )


def _show(result: Effect, run: TrainingRun) -> None:
    plain_acc, augmented_acc = result.acc[:2]
    num_flipped = parts.count(len(result.broken), "prediction")
    st.markdown(
        f"**{plain(run.name)}**, {len(result.labels):,} test images: {plain_acc:.2%} accuracy "
        f"without and {augmented_acc:.2%} with this augmentation. {num_flipped} changed from "
        "correct to wrong."
    )
    for warning in result.warnings():
        messages.warning(warning, icon=":material/warning:")
    plain_accs, augmented = result.per_class_accuracy[:2]
    figure = plots.class_change(plain_accs, augmented, result.classes)
    st.plotly_chart(
        figure, key="effect-classes", config=named_plot("effect-classes"), alt="Accuracy per class"
    )
    if len(result.names) > 3:
        lost = result.per_class_accuracy[0] - result.per_class_accuracy[2:]
        figure = plots.operation_losses(lost, result.names[2:], result.classes, parts.dark())
        st.plotly_chart(
            figure,
            key="effect-operations",
            config=named_plot("effect-operations"),
            alt="Accuracy drop per operation",
        )
    with st.expander(f"Images that become wrong ({len(result.broken):,})", icon=":material/flip:"):
        _flipped(result)


def _flipped(result: Effect) -> None:
    drawn = result.broken[:MOST_SHOWN]
    if not len(drawn):
        st.caption("None.")
        return
    names = [
        f"{result.classes[result.labels[n]]} → {result.classes[result.predictions[1, n]]}"
        for n in drawn
    ]
    tips = [f"{name}, test {result.indices[n]}" for name, n in zip(names, drawn, strict=True)]
    images.tile_grid(result.pixels[drawn], names, tips)
