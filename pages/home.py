"""Home: the data, the hardware, the newest runs, and the next step."""

import os

import streamlit as st

from cifar_core.data.store import remove_decoded
from cifar_core.errors import CifarCoreError
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import DataJob, TrainingRun
from pages.ui.components import parts
from pages.ui.data.get_data import data_sources, progress, start_import
from pages.ui.session import cache, messages
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)


def data_card(jobs: list[DataJob]) -> str:
    """The state of CIFAR-10 and, if it is missing, three ways to get data; returns the state."""
    state, message = cache.cifar10_state()
    st.subheader("Data")
    if state == "ready":
        try:
            data = cache.dataset("cifar10")
        except CifarCoreError as error:
            messages.error(error)
            if st.button("Import again", type="primary"):
                with parts.show_errors():
                    remove_decoded("cifar10")
                    st.rerun()
            return "damaged"
        st.badge("CIFAR-10 ready", icon=":material/check:", color="green")
        st.write(f"{len(data.train):,} training and {len(data.test):,} test images, verified.")
        st.page_link("pages/data.py", label="Browse images", icon=":material/photo_library:")
        return state
    active = next((job for job in jobs if job.state.is_active), None)
    if active:
        parts.redraw_every(0.7, lambda: progress(active))
        return "busy"
    if jobs and jobs[0].state is not RunState.STOPPED and jobs[0].reason:
        messages.error(jobs[0].reason)
    if state == "found":
        st.badge("CIFAR-10 found", icon=":material/search:", color="blue")
        st.write("One-time import, about 30 seconds.")
        if st.button("Import", type="primary", icon=":material/input:"):
            start_import("folder", str(cache.source_path()))
        data_sources(downloads="CIFAR10_DIR" not in os.environ)
        return state
    st.badge("CIFAR-10 not found", icon=":material/search_off:", color="orange")
    if state == "wrong":
        messages.error(message)
    data_sources(downloads=state != "wrong")  # CIFAR10_DIR would still take precedence
    return state


def hardware_card() -> None:
    """The device, precision and memory format in use, and why."""
    runtime = cache.hardware().runtime
    st.subheader("Hardware")
    for label, value, reason in (
        ("Device", runtime.device, runtime.device_reason),
        ("Precision", runtime.precision, runtime.precision_reason),
        ("Memory format", runtime.memory_format, runtime.memory_format_reason),
    ):
        st.markdown(f"**{label}: {plain(value)}**  \n:small[{plain(reason)}]")


def runs_card(runs: list[TrainingRun]) -> None:
    """The newest runs."""
    st.subheader("Runs")
    if not runs:
        st.write("No runs yet. A first run on Shapes-10 takes about a minute.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/play_circle:")
    for run in runs[:4]:
        with st.container(horizontal=True, vertical_alignment="center"):
            parts.state_badge(run)
            acc = "" if run.best_acc is None else f" · {run.best_acc:.2%}"
            st.page_link(
                "pages/train.py",
                label=f"{plain(run.name)}{acc}",
                query_params={"run": run.run_id},
            )
    if runs:
        st.page_link("pages/runs.py", label="All runs", icon=":material/stacked_line_chart:")


def next_step(state: str, runs: list[TrainingRun], trained: list[TrainingRun]) -> None:
    """One sentence and one link."""
    running = [run for run in runs if run.state.is_active]
    if running:
        text, label = f"{plain(running[0].name)} is {running[0].state}.", "Open run"
        link, query = "pages/train.py", {"run": running[0].run_id}
    elif state != "ready" and not runs:
        text, label = "Get CIFAR-10 above, or start now with synthetic shapes.", "Browse Shapes-10"
        link, query = "pages/data.py", {"data": "shapes10"}
    elif not runs:
        text, label = "Choose an augmentation for the first run.", "Preview augmentations"
        link, query = "pages/augmentation.py", {}
    elif trained:
        text, label = f"Analyze the errors of {plain(trained[0].name)}.", "Open evaluation"
        link, query = "pages/evaluation.py", {"run": trained[0].run_id}
    else:
        text, label = "No run has a checkpoint yet. Start another one.", "New run"
        link, query = "pages/train.py", {}
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Next:** {text}")
        st.page_link(link, label=label, icon=":material/arrow_forward:", query_params=query)


parts.heading(
    "CIFAR-10 Lab",
    "Train image classifiers, analyze their errors, and see which pixels they rely on.",
)
listing = cache.listing()
all_runs, data_jobs = listing.runs(), listing.runs(DataJob)
cards = st.columns(3)
with cards[0].container(border=True, height="stretch"):
    data_state = data_card(data_jobs)
    if data_jobs and data_state != "ready" and str(data_jobs[0].state) in ("failed", "interrupted"):
        with st.expander("Log"):
            st.code(log_tail(data_jobs[0].path), language=None)
with cards[1].container(border=True, height="stretch"):
    hardware_card()
with cards[2].container(border=True, height="stretch"):
    runs_card(all_runs)
next_step(data_state, all_runs, listing.trained())
