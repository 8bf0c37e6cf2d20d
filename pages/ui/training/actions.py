"""What can be done with a run beside looking at it."""

import contextlib

import streamlit as st

from cifar_core.checkpoints.checkpoint import find_checkpoint, list_checkpoints
from cifar_core.errors import CheckpointError, RunError
from cifar_core.jobs.launch import extend_run
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, find_run
from pages.ui.components import parts
from pages.ui.evaluation.predictions import open_evaluation
from pages.ui.session import cache
from pages.ui.session.state import replace_draft


def run_actions(run: TrainingRun) -> None:
    """The row of buttons above a run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        kept = list_checkpoints(run.path)
        if not run.state.is_active and kept:
            label, icon = "What does it get wrong?", ":material/fact_check:"
            if st.button(label, type="primary", icon=icon):
                with parts.sentences():
                    open_evaluation(run)
        parts.resume_button(run, primary=True)
        if (
            run.state is RunState.COMPLETED
            and list_checkpoints(run.path, "last")
            and st.button("Train longer", icon=":material/more_time:")
        ):
            train_longer(run)
        if st.button("New run", icon=":material/add:"):
            st.query_params.clear()
            st.rerun()
        again_buttons(run)
        st.page_link("pages/runs.py", label="All runs", icon=":material/stacked_line_chart:")


def ancestry(run: TrainingRun) -> None:
    """The run that this one goes on from, if there is one."""
    parent = run.request.extends
    if not parent:
        return
    try:
        name = find_run(cache.root(), parent, TrainingRun).name
    except RunError:
        st.caption(f":material/more_time: Goes on from {parent}, which was deleted.")
        return
    icon, query = ":material/more_time:", {"run": parent}
    st.page_link("pages/train.py", label=f"Goes on from {name}", icon=icon, query_params=query)


def again_buttons(run: TrainingRun) -> None:
    """Into the training form with a run's settings, or with its weights too."""
    values = run.config.model_dump(mode="json")
    if st.button("Use these settings again", icon=":material/replay:"):
        _to_form(values)
    if list_checkpoints(run.path) and st.button(
        "Start from its weights", icon=":material/fork_right:"
    ):
        _to_form({**values, "weights": str(find_checkpoint(run.path).path)})


def _to_form(values: dict[str, object]) -> None:
    replace_draft(values)
    st.switch_page("pages/train.py", query_params={})


@st.dialog("Train longer")
def train_longer(run: TrainingRun) -> None:
    """Asks for how many epochs in all, and starts the longer run."""
    had = run.config.epochs
    st.write(
        f"**{run.name}** stays as it is. The new run begins with its {had} epochs and goes on; "
        f"its learning rate follows *{run.config.schedule}* over the new number of epochs from "
        "there."
    )
    epochs = st.number_input("Epochs in all", had + 1, 2000, min(2 * had, 2000))
    name = st.text_input("Name", placeholder=f"{run.name}-1", key=f"longer-{run.run_id}")
    if st.button("Start", type="primary", icon=":material/play_arrow:"):
        with parts.sentences(), st.spinner("Starting …"):
            run_dir = extend_run(run, int(epochs), name)
        st.query_params["run"] = run_dir.name
        st.rerun()


def starting_points(model: str) -> dict[str, str]:
    """Folders of checkpoints whose weights a run of a model may start from, and what they are."""
    found = {"": "random"}
    same = [r for r in cache.listing().trained() if r.config and r.config.model == model]
    for run in same[:30]:
        with contextlib.suppress(CheckpointError):  # damaged since it was listed
            best = find_checkpoint(run.path)
            acc = "" if run.best_acc is None else f" · {run.best_acc:.1%}"
            found[str(best.path)] = f"{run.name}, {best.role}{acc}"
    return found
