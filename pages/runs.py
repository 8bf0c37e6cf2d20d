"""Runs: all of them, their curves over each other, what differs, and what can be done with one."""

import pandas as pd
import streamlit as st

from cifar_core import plots
from cifar_core.changes import delete_run, rename_run
from cifar_core.checkpoint import list_checkpoints
from cifar_core.config import difference
from cifar_core.runs import Run, disk_bytes, list_runs, read_run
from pages.ui import cache, parts
from pages.ui.actions import again_buttons
from pages.ui.boot import boot
from pages.ui.curves import PLOT

boot(__file__)


def table(runs: list[Run]) -> list[Run]:
    """The list; returns the chosen runs."""
    rows = [
        {
            "Name": run.name,
            "State": str(run.state),
            "Best": None if run.best_acc is None else 100 * run.best_acc,
            "Model": run.config.model if run.config else "",
            "Epochs": f"{(run.status.get('last') or {}).get('epoch', 0)} / {run.config.epochs}"
            if run.config
            else "",
            "Data": run.status.get("data_title") or run.request.get("data_title", ""),
            "Started": run.created,
            "MB": disk_bytes(run) / 1e6,
            "Notes": run.notes,
        }
        for run in runs
    ]
    choice = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key=f"runs-{hash(tuple(run.run_id for run in runs))}",  # another list, no row ticked
        on_select="rerun",
        selection_mode="multi-row",
        height=min(36 * (len(rows) + 1) + 2, 420),
        column_config={
            "Best": st.column_config.NumberColumn(
                format="%.2f %%", help="Validation accuracy; test if nothing is held out."
            ),
            "Started": st.column_config.DatetimeColumn(format="distance"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    st.caption(
        f"{parts.megabytes(sum(row['MB'] * 1e6 for row in rows))} on disk. Tick rows to compare."
    )
    picked: list[int] = choice["selection"]["rows"]
    return [runs[number] for number in picked if number < len(runs)]


def compare(runs: list[Run]) -> None:
    """Curves of the chosen runs over each other and the settings in which they differ."""
    curves = [
        plots.Curve(run.name, cache.metrics_of(run.path), epochs=run.config.epochs)
        for run in runs
        if run.config
    ]
    if not any(curve.metrics.epochs for curve in curves):
        st.info("None of these has finished an epoch yet; the curves begin then.")
    else:
        for column, quantity in zip(st.columns(2), ("loss", "acc"), strict=True):
            figure = plots.curves(curves, quantity, raw_steps=False)
            column.plotly_chart(figure, key=f"compare-{quantity}", config=PLOT, alt=quantity)
        if len(curves) > 1:
            st.caption("Solid: validation. Dashed: test. Dotted: train.")
    if len(runs) < 2:
        return
    st.subheader("What differs")
    differing = difference([run.config for run in runs if run.config])
    if not differing:
        st.write("Nothing: these runs have the same settings.")
        return
    names = [run.name for run in runs]
    st.dataframe(
        [{"Setting": key, **dict(zip(names, row, strict=True))} for key, row in differing.items()],
        hide_index=True,
    )


def actions(run: Run) -> None:
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
everything = list_runs(cache.root())
parts.name_unreadable()
if everything:
    chosen = table(everything)
    if len(chosen) == 1:
        actions(chosen[0])
    compare(chosen or everything[:4])
else:
    parts.empty_state(
        "No runs yet. The first takes about a minute with Shapes-10.",
        "pages/train.py",
        "Train the first model",
        ":material/play_circle:",
    )
