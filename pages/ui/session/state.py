"""The session keys, named once. What must outlive the tab is on disk or in the URL instead."""

from typing import Any

import streamlit as st

ENTERED = "entered"  # app.py ran in this session
DETOUR = "detour"  # the page that was asked for before
DATA = "data"  # the data set that the pages speak of
DRAFT = "draft"  # values of the training form, plain
DRAFT_VERSION = "draft_version"  # counts up when the draft is replaced as a whole
SPEC = "augment_spec"  # the augmentation page's operations, plain
BUILDER = "builder"  # the operations in the augmentation builder, in order
STEPS_MADE = "builder_steps"  # counts them, so that each has widgets of its own
PICKED = "picked"  # indices picked in the gallery, by run, checkpoint and split
LR_FROM = "lr_from"  # the LR test that the form's learning rate is from
PRESSED = "pressed"  # the draft id whose Start was pressed, until it is started or refused
COSTED = "costed"  # notes of the augmentations whose speed was asked for
MEASURING = "measuring"  # running preflights of this session, by note


def draft() -> dict[str, Any]:
    """The training form's values, empty at first."""
    return st.session_state.setdefault(DRAFT, {})


def replace_draft(values: dict[str, Any]) -> None:
    """Puts other values into the form; its widgets are drawn anew."""
    st.session_state[DRAFT] = values
    st.session_state[DRAFT_VERSION] = st.session_state.get(DRAFT_VERSION, 0) + 1
