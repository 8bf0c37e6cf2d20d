"""Augmentation: choose a preset or build a spec, preview it, and use it in training."""

from contextlib import suppress

import streamlit as st

from cifar_core.augment import PRESETS, AugmentSpec
from cifar_core.config.train import make_config
from cifar_core.errors import CifarCoreError
from pages.ui.augmentation import builder
from pages.ui.augmentation.effect import effect
from pages.ui.augmentation.import_export import import_export
from pages.ui.augmentation.preview_grid import preview_grid
from pages.ui.components import parts
from pages.ui.session.boot import boot
from pages.ui.session.state import SPEC, draft, replace_draft
from pages.ui.training.estimate import augmentation_throughput
from pages.ui.training.form import fill_draft

boot(__file__)


def take_preset() -> None:
    """Loads a preset into the builder."""
    if name := st.session_state.get("preset"):
        builder.load(PRESETS[name])


def initialize_builder() -> None:
    """Loads the training form's spec into an empty builder, or the standard preset."""
    if not builder.is_initialized():
        stored = st.session_state.get(SPEC) or draft().get("augment")
        builder.load(AugmentSpec.model_validate(stored) if stored else PRESETS["standard"])


def use(spec: AugmentSpec) -> None:
    """Puts the spec into the training form."""
    replace_draft({**draft(), "augment": spec.model_dump(mode="json")})


parts.heading("Augmentation", "Preview exactly what training will see.")
data = parts.select_data()
initialize_builder()
view, side = st.columns([2, 1], gap="large")
with side:
    head = st.container(horizontal=True, vertical_alignment="center")
    head.subheader("Operations")
    with parts.show_errors():
        spec = make_config({"augment": builder.edit()}).augment
    st.session_state[SPEC] = spec.model_dump(mode="json")
    with head:
        import_export(spec, data)
    matching = [name for name, preset in PRESETS.items() if preset == spec]
    st.session_state["preset"] = matching[0] if matching else None  # also after manual edits
with view:
    st.pills("Preset", list(PRESETS), key="preset", on_change=take_preset, wrap=True)
    tip = "Runs as batched kernels on the training device."
    if not spec.batched:
        tip = "Runs through albumentations in DataLoader workers."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"`{spec.digest[:12]}` {spec}", width="stretch", help=tip)
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            use(spec)
            st.switch_page("pages/train.py")
    preview_grid(spec, data)
    with suppress(CifarCoreError):  # the training form shows what is wrong
        augmentation_throughput(make_config({**fill_draft(), "augment": st.session_state[SPEC]}))
    effect(spec)
