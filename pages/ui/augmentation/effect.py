"""What the builder's augmentation does to a trained model: asked for, then shown."""

from collections.abc import Sequence

import streamlit as st

from cifar_core import plots
from cifar_core.augment import AugmentSpec
from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.augmentation_effect import NUM_IMAGES, Effect
from cifar_core.jobs.launch_analysis import jobs_on, launch_effect
from cifar_core.runs.store import Run
from pages.ui.components import images, job, parts
from pages.ui.components.curves import PLOT
from pages.ui.session import cache, cache_analysis

MOST_FLIPPED = 40


def effect(spec: AugmentSpec) -> None:
    """Chooses a trained model and shows what it makes of the augmented test images."""
    st.subheader("Effect on a trained model")
    listing = cache.listing()
    trained = {run.run_id: run for run in listing.trained()}
    if not trained:
        st.caption(
            "Once a model is trained, its accuracy under this augmentation can be seen here."
        )
        return
    if not spec.pixel:
        st.caption("There is no operation on single images to try.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run_id = st.selectbox(
            "Model", list(trained), format_func=lambda r: trained[r].name, key="effect-run"
        )
        run = trained[run_id]
        with parts.sentences():
            checkpoint = find_checkpoint(run.path).name
        found = jobs_on(listing.runs("effect"), run, checkpoint, digest=spec.digest)
        busy = bool(found) and found[0].state.is_active
        done = None if busy else _offer(found, run, checkpoint, spec)
    if busy:
        _offer(found, run, checkpoint, spec)
    elif done:
        with parts.sentences():
            _show(cache_analysis.effect(done.path), run)


def _offer(jobs: Sequence[Run], run: Run, checkpoint: str, spec: AugmentSpec) -> Run | None:
    return job.offer(
        jobs,
        f"Try it on {NUM_IMAGES:,} test images",
        ":material/science:",
        lambda: launch_effect(cache.root(), run, checkpoint, spec),
    )


def _show(found: Effect, run: Run) -> None:
    plain, together = found.acc[:2]
    st.markdown(
        f"**{run.name}** recognises {plain:.1%} of {len(found.labels):,} test images as they are, "
        f"{together:.1%} under this augmentation; {len(found.broken)} flip from right to wrong."
    )
    for warning in found.warnings():
        st.warning(warning, icon=":material/warning:")
    plain_accs, augmented = found.per_class_accuracy[:2]
    figure = plots.class_change(plain_accs, augmented, found.classes)
    st.plotly_chart(figure, key="effect-classes", config=PLOT, alt="Accuracy per class")
    if len(found.names) > 3:
        lost = found.per_class_accuracy[0] - found.per_class_accuracy[2:]
        figure = plots.operation_losses(lost, found.names[2:], found.classes, parts.dark())
        st.plotly_chart(figure, key="effect-operations", config=PLOT, alt="Change per operation")
    with st.expander(f"The images that flip ({len(found.broken)})", icon=":material/flip:"):
        _flipped(found)


def _flipped(found: Effect) -> None:
    shown = found.broken[:MOST_FLIPPED]
    if not len(shown):
        st.caption("None.")
        return
    names = [
        f"{found.classes[found.labels[n]]} → {found.classes[found.predictions[1, n]]}"
        for n in shown
    ]
    tips = [f"{name}, test {found.indices[n]}" for name, n in zip(names, shown, strict=True)]
    images.tile_grid(found.pixels[shown], names, tips)
