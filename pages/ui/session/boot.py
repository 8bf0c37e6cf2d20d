"""The boot guard: a page that was requested before app.py ever ran is opened through app.py.

Streamlit 1.67 runs pages/*.py directly when the first request to a server names one, without
app.py and so without the navigation.
"""

from pathlib import Path

import streamlit as st

from pages.ui.session.state import APP_STARTED, REQUESTED_PAGE


def boot(file: str) -> None:
    """First line of every page; `file` is its own `__file__`."""
    if not st.session_state.get(APP_STARTED):
        st.session_state[REQUESTED_PAGE] = (f"pages/{Path(file).name}", dict(st.query_params))
        st.switch_page("app.py")


def mark_app_started() -> None:
    """Records that app.py ran in this session."""
    st.session_state[APP_STARTED] = True


def open_requested_page() -> None:
    """Opens the page that was requested before app.py ran, with its query parameters."""
    if requested := st.session_state.pop(REQUESTED_PAGE, None):
        page, query = requested
        st.switch_page(page, query_params=query)
