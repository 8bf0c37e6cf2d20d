"""The draft id of a form: a draft starts at most one run.

It is in the URL from the press of Start on, so that a reload or a duplicated tab leads to the same
run. Not before: every change of the URL is an entry in the browser's history, and Back would need
one more press to leave a form that was only looked at.
"""

import re
import secrets

import streamlit as st

from cifar_core.runs.dedup import find_draft
from pages.ui.session import cache
from pages.ui.session.messages import plain
from pages.ui.session.state import NEW_DRAFT, PENDING_START


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
        on_click=_press,
        args=(key, draft),
    )
    return st.session_state.get(PENDING_START) == (key, draft)


def _press(key: str, draft: str) -> None:
    st.session_state[PENDING_START] = (key, draft)
    if st.session_state.get(NEW_DRAFT) == draft:  # not once it was started
        st.query_params["draft"] = draft


def clear_pending_start() -> None:
    """Clears a press of Start, once its run was started or refused.

    Until then the draft stays known to the session: of two clicks the second comes with the URL of
    before the first.
    """
    st.session_state.pop(PENDING_START, None)
    st.session_state.pop(NEW_DRAFT, None)


def draft_id(page: str) -> str:
    """The form's draft id; a new one if the one in the URL was already started.

    While a start is pending the id does not change, so that a second click, or one in a duplicated
    tab, leads to the same run.

    Args:
        page: The page that shows a started run.
    """
    draft = st.query_params.get("draft", "")
    if re.fullmatch("[0-9a-f]{16}", draft):
        if draft in st.session_state.get(PENDING_START, ()):
            return draft
        started = find_draft(cache.root(), draft)
        if started is None:
            return draft
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.write("This form was already started. Starting it again creates a new run.")
            kind = "run" if started.kind == "train" else "test"
            query = {kind: started.run_id}
            st.page_link(page, label=f"Open {plain(started.name)}", query_params=query)
    if draft or NEW_DRAFT not in st.session_state:
        return new_draft()
    return st.session_state[NEW_DRAFT]


def new_draft() -> str:
    """Makes a new draft id, and removes the old one from the URL."""
    st.query_params.pop("draft", None)
    st.session_state[NEW_DRAFT] = draft = secrets.token_hex(8)
    return draft
