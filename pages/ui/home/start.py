"""Train a model now: a run sized for about a minute on this machine."""

import streamlit as st

from cifar_core.forecast.quick_run import GOAL_S, quick_config
from cifar_core.jobs.launch import launch_training
from cifar_core.runs.store import TrainingRun, read_run
from pages.ui.components import parts
from pages.ui.session import cache
from pages.ui.session.messages import plain
from pages.ui.training.start_once import clear_pending_start, draft_id, start_button

START = "train-now"


def train_now(data: str) -> None:
    """The button that starts a run and opens it.

    Args:
        data: What to train on.
    """
    draft = draft_id("pages/train.py")
    if not start_button("Train a model now", START, draft):
        return
    try:
        with parts.show_errors():
            with st.spinner(f"Measuring this machine, to fit into {GOAL_S:.0f} s …"):
                config = quick_config(data)
            with st.spinner("Starting …"):
                run_dir = launch_training(cache.root(), config, draft=draft)
    finally:
        clear_pending_start()
    st.switch_page("pages/train.py", query_params={"run": run_dir.name})


def running_card(runs: list[TrainingRun]) -> None:
    """The runs that are active, with their progress."""
    for run in [run for run in runs if run.state.is_active][:2]:
        with st.container(border=True):
            parts.redraw_every(2.0, lambda run=run: _progress(run))


def _progress(run: TrainingRun) -> None:
    with parts.show_errors():
        now = read_run(run.path, TrainingRun)
    if not now.state.is_active:
        st.rerun()
    done = now.status.last.epoch if now.status.last else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.state_badge(now)
        label = f"{plain(now.name)}: epoch {done} of {now.config.epochs}"
        st.page_link("pages/train.py", label=label, query_params={"run": now.run_id})
    st.progress(min(done / now.config.epochs, 1.0))
