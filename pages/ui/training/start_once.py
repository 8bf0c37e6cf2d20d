"""The draft id of a form: it lives in the URL, and what is started with it is started once."""

import re
import secrets

import streamlit as st

from cifar_core.runs.dedup import find_draft
from pages.ui.session import cache
from pages.ui.session.state import PRESSED


def start_button(label: str, key: str, draft: str) -> bool:
    """The button that starts a draft; whether it was pressed, in this rerun or one cut short.

    The press is kept until it is answered: a rerun may end before it comes to the button, when
    what stands above it redraws the page, and the press would be lost with it.
    """
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key=key,
        on_click=lambda: st.session_state.update({PRESSED: draft}),
    )
    return st.session_state.get(PRESSED) == draft


def answered() -> None:
    """What was pressed for was started or refused."""
    st.session_state.pop(PRESSED, None)


def draft_id(page: str) -> str:
    """The id of this form's one intention; a new one where the one in the URL was started.

    Until a press is answered the id stays as it is, so that a second click, or one in a duplicated
    tab, finds what the first has started.

    Args:
        page: Where what was started is shown.
    """
    draft = st.query_params.get("draft", "")
    if re.fullmatch("[0-9a-f]{16}", draft):
        if st.session_state.get(PRESSED) == draft:
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
