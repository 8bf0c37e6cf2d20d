"""Actions on a run: evaluate, resume, extend, duplicate, fine-tune."""

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
from pages.ui.session.messages import plain
from pages.ui.session.state import replace_draft


def run_actions(run: TrainingRun) -> None:
    """The row of buttons above a run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if (
            not run.state.is_active
            and list_checkpoints(run.path)
            and st.button("Open evaluation", type="primary", icon=":material/fact_check:")
        ):
            with parts.show_errors():
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
        copy_buttons(run)
        st.page_link("pages/runs.py", label="All runs", icon=":material/stacked_line_chart:")


def ancestry(run: TrainingRun) -> None:
    """The run that this one extends, if any."""
    parent = run.request.extends
    if not parent:
        return
    try:
        name = find_run(cache.root(), parent, TrainingRun).name
    except RunError:
        st.caption(f":material/more_time: Extended from {plain(parent)} (deleted)")
        return
    icon, query = ":material/more_time:", {"run": parent}
    st.page_link(
        "pages/train.py",
        label=f"Extended from {plain(name)}",
        icon=icon,
        query_params=query,
    )


def copy_buttons(run: TrainingRun, place: str = "page") -> None:
    """Buttons that open the training form with a run's settings, or with its weights too.

    Args:
        place: Tells them from the same buttons elsewhere on the page.
    """
    values = run.config.model_dump(mode="json")
    if st.button("Duplicate run", icon=":material/content_copy:", key=f"duplicate-{place}"):
        _open_form(values)
    icon, key = ":material/fork_right:", f"finetune-{place}"
    if list_checkpoints(run.path) and st.button("Fine-tune from this run", icon=icon, key=key):
        _open_form({**values, "weights": str(find_checkpoint(run.path).path)})


def _open_form(values: dict[str, object]) -> None:
    replace_draft(values)
    st.switch_page("pages/train.py", query_params={})


@st.dialog("Train longer")
def train_longer(run: TrainingRun) -> None:
    """Asks for the new number of epochs and starts the longer run."""
    epochs_done = run.config.epochs
    if run.is_shipped:
        st.write(
            f"**{plain(run.name)}** came with the app, without the state of its optimizer: it "
            "cannot go on where it ended. Start from its weights, or train it anew with more "
            "epochs."
        )
        copy_buttons(run, "longer")
        return
    st.write(
        f"**{plain(run.name)}** stays unchanged. A new run continues from its epoch {epochs_done}, "
        f"with the *{run.config.schedule}* schedule recomputed for the new number of epochs."
    )
    epochs = st.number_input("Total epochs", epochs_done + 1, 2000, min(2 * epochs_done, 2000))
    name = st.text_input("Name", placeholder=f"{run.name}-1", key=f"longer-{run.run_id}")
    if st.button("Start", type="primary", icon=":material/play_arrow:"):
        with parts.show_errors(), st.spinner("Starting …"):
            run_dir = extend_run(run, int(epochs), name)
        st.query_params["run"] = run_dir.name
        st.rerun()


def starting_points(model: str) -> dict[str, str]:
    """Initializations for a model: checkpoint folders of other runs, and their labels."""
    options = {"": "Random"}
    runs = [r for r in cache.listing().trained() if r.config and r.config.model == model]
    for run in runs[:30]:
        with contextlib.suppress(CheckpointError):  # damaged since it was listed
            best = find_checkpoint(run.path)
            acc = "" if run.best_acc is None else f" · {run.best_acc:.2%}"
            options[str(best.path)] = f"{run.name}, {best.role}{acc}"
    return options
