"""Augmentation: choose a preset or build a spec, see what training will see, use it there."""

from contextlib import suppress

import streamlit as st

from cifar_core.augment import PRESETS, AugmentSpec
from cifar_core.config.train import make_config
from cifar_core.errors import CifarCoreError
from pages.ui.augmentation import builder
from pages.ui.augmentation.effect import effect
from pages.ui.augmentation.import_export import share
from pages.ui.augmentation.preview_grid import grid
from pages.ui.components import parts
from pages.ui.session.boot import boot
from pages.ui.session.state import SPEC, draft, replace_draft
from pages.ui.training.estimate import spec_cost
from pages.ui.training.form import fill_draft

boot(__file__)


def take_preset() -> None:
    """Puts a preset's operations into the builder."""
    if name := st.session_state.get("preset"):
        builder.put(PRESETS[name])


def begin() -> None:
    """Fills the builder: with the training form's spec, or the standard one."""
    if not builder.filled():
        kept = st.session_state.get(SPEC) or draft().get("augment")
        builder.put(AugmentSpec.model_validate(kept) if kept else PRESETS["standard"])


def use(spec: AugmentSpec) -> None:
    """Puts the spec into the training form."""
    replace_draft({**draft(), "augment": spec.model_dump(mode="json")})


parts.heading("Augmentation", "What each epoch makes of an image; the run uses exactly this.")
data = parts.pick_data()
begin()
view, side = st.columns([2, 1], gap="large")
with side:
    head = st.container(horizontal=True, vertical_alignment="center")
    head.subheader("Operations")
    with parts.sentences():
        chosen = make_config({"augment": builder.build()}).augment
    st.session_state[SPEC] = chosen.model_dump(mode="json")
    with head:
        share(chosen, data)
    same = [name for name, spec in PRESETS.items() if spec == chosen]
    st.session_state["preset"] = same[0] if same else None  # also after a change by hand
with view:
    st.pills("Preset", list(PRESETS), key="preset", on_change=take_preset, wrap=True)
    path = "batched kernels" if chosen.batched else "albumentations in loader workers"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"`{chosen.digest[:12]}` {chosen}  \n:small[runs by {path}]", width="stretch")
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            use(chosen)
            st.switch_page("pages/train.py")
    grid(chosen, data)
    with suppress(CifarCoreError):  # the form says what is wrong with it
        spec_cost(make_config({**fill_draft(), "augment": st.session_state[SPEC]}))
    effect(chosen)
