"""The session keys, named once. What must outlive the tab is on disk or in the URL instead."""

from typing import Any

import streamlit as st

APP_STARTED = "app_started"  # app.py ran in this session
REQUESTED_PAGE = "requested_page"  # page and query that were requested before that
DATA = "data"  # the selected dataset
DRAFT = "draft"  # values of the training form, as plain JSON types
DRAFT_VERSION = "draft_version"  # counts up when the draft is replaced as a whole
SPEC = "augment_spec"  # the augmentation page's spec, as plain JSON types
BUILDER = "builder"  # the operations in the augmentation builder, in order
STEP_NUMBERS = "builder_step_numbers"  # a counter, so that each operation has its own widgets
CHOSEN = "chosen"  # URL parameters of the run and images last looked at
SELECTED = "selected"  # indices chosen in the gallery, by run, checkpoint and split
LR_ORIGIN = "lr_origin"  # the LR test that the form's learning rate is from
NEW_DRAFT = "new_draft"  # draft id of a form, until it is started or refused
PENDING_START = "pending_start"  # button and draft id of a press of Start, until then
MEASURE_REQUESTS = "measure_requests"  # names of the speed notes that the user asked to measure
MEASURING = "measuring"  # running measurements of this session, by name of the speed note


def draft() -> dict[str, Any]:
    """The training form's values, empty at first."""
    return st.session_state.setdefault(DRAFT, {})


def replace_draft(values: dict[str, Any]) -> None:
    """Replaces the form's values and gives its widgets new keys."""
    st.session_state[DRAFT] = values
    st.session_state[DRAFT_VERSION] = st.session_state.get(DRAFT_VERSION, 0) + 1
