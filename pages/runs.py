"""Runs: all of them, their curves over each other, what differs, and what can be done with one."""

import streamlit as st

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.runs.lifecycle import delete_run, rename_run
from cifar_core.runs.store import Run, TrainingRun, disk_bytes, read_run
from pages.ui.components import parts
from pages.ui.components.curves import compare_curves
from pages.ui.session import cache
from pages.ui.session.boot import boot
from pages.ui.training.actions import again_buttons
from pages.ui.training.run_table import filtered, run_table, side_by_side

boot(__file__)
NEWEST = 4  # are drawn while no row is ticked


def actions(run: TrainingRun) -> None:
    """What can be done with one run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        query = {"run": run.run_id}
        st.page_link(
            "pages/train.py", label="Open", icon=":material/open_in_new:", query_params=query
        )
        if list_checkpoints(run.path):
            st.page_link("pages/evaluation.py", label="Evaluation", query_params=query)
        if run.state.is_active:
            st.button("Stop", on_click=parts.ask_to_stop, args=(run,))
        parts.resume_button(run)
        again_buttons(run)
        if st.button("Rename, notes", icon=":material/edit:"):
            edit(run)
        tip = "Stop it first." if (active := run.state.is_active) else None
        if st.button("Delete", icon=":material/delete:", disabled=active, help=tip):
            confirm_delete(run)


@st.dialog("Name and notes")
def edit(run: Run) -> None:
    """Asks for a new name and notes."""
    name = st.text_input("Name", run.name)
    notes = st.text_area("Notes", run.notes)
    if st.button("Save", type="primary"):
        with parts.sentences():
            rename_run(run, name, notes)
        st.rerun()


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Asks before anything is lost."""
    st.write(f"**{run.name}** occupies {parts.megabytes(disk_bytes(run))}.")
    if st.button("Delete checkpoints, keep curves", icon=":material/folder_delete:"):
        with parts.sentences():
            delete_run(read_run(run.path), keep_curves=True)
        st.rerun()
    if st.button("Delete everything", type="primary", icon=":material/delete_forever:"):
        with parts.sentences():
            delete_run(read_run(run.path))
        st.rerun()


parts.heading("Runs", "Every training, what it reached, and what set it apart.")
listing = cache.listing()
everything = listing.listed()
parts.name_unreadable(listing)
if everything:
    listed = filtered(everything)
    chosen = run_table(listed) if listed else []
    if not listed:
        st.info("No run has all these words. Take some away.", icon=":material/search_off:")
    if len(chosen) == 1:
        actions(chosen[0])
    drawn = chosen or [e.run for e in listed[:NEWEST] if isinstance(e.run, TrainingRun)]
    if drawn:
        compare_curves(drawn)
        side_by_side(drawn)
else:
    parts.empty_state(
        "No runs yet. The first takes about a minute with Shapes-10.",
        "pages/train.py",
        "Train the first model",
        ":material/play_circle:",
    )
