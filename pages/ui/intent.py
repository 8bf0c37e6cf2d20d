"""The draft id of a form: it lives in the URL, and what is started with it is started once."""

import re
import secrets

import streamlit as st

from cifar_core.claims import find_draft
from pages.ui import cache


def draft_id(page: str, button: str) -> str:
    """The id of this form's one intention; a new one where the one in the URL was started.

    Args:
        page: Where what was started is shown.
        button: Key of the button that starts. In the rerun of its click the id stays as it is, so
            that a second click, or one in a duplicated tab, finds what the first has started.
    """
    draft = st.query_params.get("draft", "")
    if re.fullmatch("[0-9a-f]{16}", draft):
        if st.session_state.get(button):
            return draft
        started = find_draft(cache.root(), draft)
        if started is None:
            return draft
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.write("This form was started before. Start makes another one now.")
            kind = "run" if started.kind == "train" else "test"
            query = {kind: started.run_id}
            st.page_link(page, label=f"Open {started.name}", query_params=query)
    return new_draft()


def new_draft() -> str:
    """Begins another intention."""
    st.query_params["draft"] = draft = secrets.token_hex(8)
    return draft
