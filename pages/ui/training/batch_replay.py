"""Replay of a training batch: the exact pixels that the model was trained on."""

import streamlit as st

from cifar_core.runs.store import TrainingRun
from pages.ui.components import images, parts
from pages.ui.session import cache, messages

MOST_SHOWN = 128


def batch_replay(run: TrainingRun) -> None:
    """Rebuilds any batch of the run, by default the first."""
    config = run.config
    digest = config.augment.digest[:12]
    with st.expander("Replay a training batch", icon=":material/visibility:"):
        if not st.toggle("Show batch", key=f"replay-{run.run_id}"):
            st.caption("Rebuilds the exact pixels of any batch from the seed and the augmentation.")
            return
        steps = run.status.steps_per_epoch or 1
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = f"replay-{run.run_id}-epoch"
            epoch = st.number_input("Epoch (from 0)", 0, config.epochs - 1, 0, width=150, key=key)
            key = f"replay-{run.run_id}-step"
            step = st.number_input("Batch (from 0)", 0, max(steps - 1, 0), 0, width=150, key=key)
        with parts.show_errors():
            data = cache.dataset(config.data)
            if run.status.fingerprint not in ("", data.fingerprint):
                messages.error(
                    f"{data.title} has changed since this run was trained, so its batches cannot "
                    "be replayed. Restore the original data."
                )
                return
            pixels, labels = cache.batch(config, data.fingerprint, int(epoch), int(step))
        names = [data.classes[label] for label in labels[:MOST_SHOWN]]
        images.tile_grid(pixels[:MOST_SHOWN], names, size=64)
        mixing = " and ".join(operation.name for operation in config.augment.mixing)
        mixed = f", before {mixing}" if mixing else ""
        st.caption(
            f"Batch {step} of epoch {epoch}, augmentation `{digest}`{mixed}, not normalized."
        )
