"""Runs: the table, curves and config differences of selected runs, and actions on one."""

import streamlit as st

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.runs.lifecycle import delete_run, rename_run, what_is_deleted
from cifar_core.runs.store import TrainingRun, disk_bytes, read_run
from pages.ui.components import parts
from pages.ui.components.curves import compare_curves
from pages.ui.components.stop import stop_button
from pages.ui.session import cache, messages
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain
from pages.ui.training.actions import copy_buttons
from pages.ui.training.run_table import filter_runs, run_table, side_by_side

boot(__file__)
NEWEST = 4  # runs drawn while no row is selected


def actions(run: TrainingRun) -> None:
    """The buttons of one run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        query = {"run": run.run_id}
        st.page_link(
            "pages/train.py", label="Open", icon=":material/open_in_new:", query_params=query
        )
        if list_checkpoints(run.path):
            st.page_link("pages/evaluation.py", label="Evaluation", query_params=query)
        if run.state.is_active:
            stop_button(run)
        parts.resume_button(run)
        copy_buttons(run)
        if run.is_shipped:
            parts.shipped_badge()
            return
        if st.button("Edit name and notes", icon=":material/edit:"):
            edit(run)
        tip = "Stop the run first." if (active := run.state.is_active) else None
        if st.button("Delete", icon=":material/delete:", disabled=active, help=tip):
            confirm_delete(run)


@st.dialog("Name and notes")
def edit(run: TrainingRun) -> None:
    """Edits a run's name and notes."""
    name = st.text_input("Name", run.name)
    notes = st.text_area("Notes", run.notes)
    if st.button("Save", type="primary"):
        with parts.show_errors():
            rename_run(run, name, notes)
        st.rerun()


@st.dialog("Delete this run?")
def confirm_delete(run: TrainingRun) -> None:
    """Asks what to delete; nothing is the highlighted answer."""
    size = parts.megabytes(disk_bytes(run))
    st.write(f"**{plain(run.name)}** uses {size}. Deleting cannot be undone.")
    linked = run.path.is_symlink()
    if linked:
        messages.info(f"Only {what_is_deleted(run)}.", icon=":material/link:")
    if st.button("Cancel", type="primary"):
        st.rerun()
    if not linked and st.button("Delete checkpoints, keep curves", icon=":material/folder_delete:"):
        with parts.show_errors():
            delete_run(read_run(run.path), keep_curves=True)
        st.rerun()
    label = "Delete the link" if linked else "Delete everything"
    if st.button(label, icon=":material/delete_forever:"):
        with parts.show_errors():
            delete_run(read_run(run.path))
        st.rerun()


parts.heading("Runs", "All runs, metrics and config differences.")
listing = cache.listing()
everything = listing.listed()
parts.warn_unreadable(listing)
if everything:
    listed = filter_runs(everything)
    selected = run_table(listed) if listed else []
    if not listed:
        messages.info(
            "No matching runs. Remove some words from the filter.", icon=":material/search_off:"
        )
    if len(selected) == 1:
        actions(selected[0])
    drawn = selected or [e.run for e in listed[:NEWEST] if isinstance(e.run, TrainingRun)]
    if drawn:
        compare_curves(drawn)
        side_by_side(drawn)
else:
    parts.empty_state(
        "No runs yet. A first run on Shapes-10 takes about a minute.",
        "pages/train.py",
        "Train a model",
        ":material/play_circle:",
    )
