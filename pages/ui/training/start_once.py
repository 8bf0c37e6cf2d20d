"""The draft id of a form, kept in the URL: a draft starts at most one run."""

import re
import secrets

import streamlit as st

from cifar_core.runs.dedup import find_draft
from pages.ui.session import cache
from pages.ui.session.messages import plain
from pages.ui.session.state import PENDING_START


def start_button(label: str, key: str, draft: str) -> bool:
    """The Start button; returns whether it was pressed, in this rerun or an aborted one.

    The press is stored until `clear_pending_start`: a widget above the button may rerun the page
    before the script reaches the button, and the press would be lost.
    """
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key=key,
        on_click=lambda: st.session_state.update({PENDING_START: draft}),
    )
    return st.session_state.get(PENDING_START) == draft


def clear_pending_start() -> None:
    """Clears a press of Start, once its run was started or refused."""
    st.session_state.pop(PENDING_START, None)


def draft_id(page: str) -> str:
    """The form's draft id; a new one if the one in the URL was already started.

    While a start is pending the id does not change, so that a second click, or one in a duplicated
    tab, leads to the same run.

    Args:
        page: The page that shows a started run.
    """
    draft = st.query_params.get("draft", "")
    if re.fullmatch("[0-9a-f]{16}", draft):
        if st.session_state.get(PENDING_START) == draft:
            return draft
        started = find_draft(cache.root(), draft)
        if started is None:
            return draft
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.write("This form was already started. Starting it again creates a new run.")
            kind = "run" if started.kind == "train" else "test"
            query = {kind: started.run_id}
            st.page_link(page, label=f"Open {plain(started.name)}", query_params=query)
    return new_draft()


def new_draft() -> str:
    """Puts a new draft id into the URL."""
    st.query_params["draft"] = draft = secrets.token_hex(8)
    return draft
