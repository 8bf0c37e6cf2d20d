"""The boot guard: a page asked for before app.py ever ran is led through app.py.

Streamlit 1.67 runs pages/*.py by itself when the first request of a server names one; app.py, and
with it the navigation, is left out then.
"""

from pathlib import Path

import streamlit as st

from pages.ui.session.state import DETOUR, ENTERED


def boot(file: str) -> None:
    """First line of every page; `file` is its own `__file__`."""
    if not st.session_state.get(ENTERED):
        st.session_state[DETOUR] = (f"pages/{Path(file).name}", dict(st.query_params))
        st.switch_page("app.py")


def entered() -> None:
    """Notes that app.py ran in this session."""
    st.session_state[ENTERED] = True


def follow_detour() -> None:
    """Goes on to the page that was asked for in the first place, with its query."""
    if detour := st.session_state.pop(DETOUR, None):
        st.switch_page(detour[0], query_params=detour[1])
