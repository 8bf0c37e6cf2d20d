"""Hardware and data in one line with the details behind it; getting data where they are missing."""

import os

import streamlit as st

from cifar_core.data.store import remove_decoded
from cifar_core.errors import CifarCoreError
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import DataJob
from pages.ui.components import parts
from pages.ui.data.get_data import data_sources, progress, start_import
from pages.ui.session import cache, messages
from pages.ui.session.messages import plain


def machine_line(state: str) -> None:
    """Device and data, and a popover that says why.

    Args:
        state: As `cache.cifar10_state` gives it.
    """
    runtime = cache.hardware().runtime
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"{runtime.device}, {runtime.precision}", icon=":material/memory:", color="gray")
        if state == "ready":
            st.badge("CIFAR-10 ready", icon=":material/check:", color="green")
        else:
            st.badge("Shapes-10 ready", icon=":material/check:", color="green")
            lacks = "not imported" if state == "found" else "missing"
            st.badge(f"CIFAR-10 {lacks}", icon=":material/search_off:", color="orange")
        with st.popover("Details", type="tertiary", key="machine"):
            for label, value, reason in (
                ("Device", runtime.device, runtime.device_reason),
                ("Precision", runtime.precision, runtime.precision_reason),
                ("Memory format", runtime.memory_format, runtime.memory_format_reason),
            ):
                st.markdown(f"**{label}: {plain(value)}**  \n:small[{plain(reason)}]")
            if state == "ready":
                _images()


def _images() -> None:
    """How many images of CIFAR-10 there are; that they are damaged is told below."""
    if _damage():
        return
    data = cache.dataset("cifar10")
    st.markdown(
        f"**CIFAR-10**  \n:small[{len(data.train):,} training and {len(data.test):,} test images, "
        "verified.]"
    )
    st.page_link("pages/data.py", label="Browse images", icon=":material/photo_library:")


def data_card(state: str, message: str, jobs: list[DataJob]) -> None:
    """Three ways to get CIFAR-10, or the progress of one; nothing where it is there and whole.

    Args:
        state, message: As `cache.cifar10_state` gives them.
    """
    damage = _damage() if state == "ready" else None
    if state == "ready" and not damage:
        return
    with st.container(border=True):
        st.subheader("Get CIFAR-10")
        if damage:
            messages.error(damage)
            if st.button("Import again", type="primary"):
                with parts.show_errors():
                    remove_decoded("cifar10")
                    st.rerun()
            return
        if active := next((job for job in jobs if job.state.is_active), None):
            parts.redraw_every(0.7, lambda: progress(active))
            return
        _last_attempt(jobs)
        if state == "found":
            st.badge("CIFAR-10 found", icon=":material/search:", color="blue")
            st.write("One-time import, about 30 seconds.")
            if st.button("Import", type="primary", icon=":material/input:"):
                start_import("folder", str(cache.source_path()))
            data_sources(downloads="CIFAR10_DIR" not in os.environ)
            return
        st.badge("CIFAR-10 not found", icon=":material/search_off:", color="orange")
        if state == "wrong":
            messages.error(message)
        data_sources(downloads=state != "wrong")  # CIFAR10_DIR would still take precedence


def _damage() -> CifarCoreError | None:
    """What is wrong with the decoded CIFAR-10; None if nothing is."""
    try:
        cache.dataset("cifar10")
    except CifarCoreError as error:
        return error
    return None


def _last_attempt(jobs: list[DataJob]) -> None:
    """Why the newest import did not work, with its log."""
    if not jobs or jobs[0].state is RunState.STOPPED or not jobs[0].reason:
        return
    messages.error(jobs[0].reason)
    if str(jobs[0].state) in ("failed", "interrupted"):
        with st.expander("Log"):
            st.code(log_tail(jobs[0].path), language=None)
