"""Train: the form, Start, and the live view of a run."""

import streamlit as st

from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import CifarCoreError
from cifar_core.jobs.launch import launch_training
from cifar_core.jobs.starting_weights import form_warning, run_warning
from cifar_core.report.commands import train_command
from cifar_core.runs.names import free_name
from cifar_core.runs.store import TrainingRun, find_run
from pages.ui.components import parts
from pages.ui.session import cache, messages
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain
from pages.ui.training.actions import ancestry, run_actions
from pages.ui.training.batch_replay import batch_replay
from pages.ui.training.estimate import compare_with_forecast, estimate_line
from pages.ui.training.form import config_fields, recipe_picker
from pages.ui.training.lr_handoff import origin_of, run_origin
from pages.ui.training.run_table import settings_table
from pages.ui.training.run_view import run_view
from pages.ui.training.start_once import clear_pending_start, draft_id, new_draft, start_button

boot(__file__)
START = "start_training"


def show_run(run: TrainingRun) -> None:
    """One run, live, and what can be done with it."""
    parts.name_tab(run.name, "Train")
    st.title(plain(run.name))
    run_actions(run)
    ancestry(run)
    run_origin(run)
    if warning := run_warning(run.request):
        messages.warning(warning)
    if run.notes:
        st.text(run.notes)
    run_view(run)
    compare_with_forecast(run)
    batch_replay(run)
    with st.expander("Settings", icon=":material/list:"):
        settings_table(run.config)
        st.code(train_command(run.config), language="bash", wrap_lines=True)


def show_form() -> None:
    """The form, the estimate and Start."""
    parts.heading("Train", "Configure and launch; runs continue in the background.")
    running = [run for run in cache.listing().runs() if run.state.is_active]
    for run in running[:3]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            parts.state_badge(run)
            query = {"run": run.run_id}
            st.page_link("pages/train.py", label=f"Open {plain(run.name)}", query_params=query)
    draft = draft_id("pages/train.py")
    recipe_picker()
    values = config_fields()
    st.subheader("Launch")
    try:
        config = make_config(values)
    except CifarCoreError as error:
        messages.error(error)
        return
    if warning := form_warning(cache.root(), config):
        messages.warning(warning)
    stem = config.model
    left, right = st.columns(2)
    name = left.text_input("Name", placeholder=free_name(cache.root(), stem), key="run_name")
    notes = right.text_input("Notes", key="run_notes")
    estimate_line(config)
    if start_button("Start training", START, draft):
        start(config, name, notes, draft)


def start(config: TrainConfig, name: str, notes: str, draft: str) -> None:
    """Starts the run and opens it; if it is refused, the form stays."""
    try:
        with st.spinner("Starting …"):
            origin = origin_of(config.lr)
            run_dir = launch_training(cache.root(), config, name, notes, draft, origin)
    except CifarCoreError as error:
        messages.error(error)
        clear_pending_start()
        new_draft()
        st.stop()
    clear_pending_start()
    st.query_params.from_dict({"run": run_dir.name})
    st.rerun()


run_query = st.query_params.get("run")
if run_query:
    try:
        selected = find_run(cache.root(), run_query, TrainingRun)
    except CifarCoreError as error:
        messages.error(error)
        st.page_link("pages/runs.py", label="All runs", icon=":material/stacked_line_chart:")
    else:
        show_run(selected)
else:
    show_form()
