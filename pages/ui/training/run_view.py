"""A run as it is now: state, figures, curves, log; live while it runs."""

from dataclasses import replace

import streamlit as st

from cifar_core.jobs.queue import queue_position
from cifar_core.records.records import Metrics
from cifar_core.runs.lifecycle import FORCE_AFTER_S, stopping_s
from cifar_core.runs.pace import run_pace
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.utilisation import gpu_load, system_load
from pages.ui.components import parts
from pages.ui.components.curves import Asked, ask, draw_curves
from pages.ui.session import cache

REFRESH_S = 2.0
REDRAW_S = 3.0  # less often, since a plot costs the browser more than a figure
REDRAW_STEPS = 12  # records of half a second each


def run_view(run: TrainingRun) -> None:
    """Draws a run; what changes refreshes by itself, in two parts, until the run ends."""
    was_active = run.state.is_active

    def draw_state() -> None:
        now = _read(run)
        _draw_state(now, cache.metrics_of(now.path))
        if was_active and not now.state.is_active:
            st.rerun()  # once, so that the page around it knows of the end

    parts.every(REFRESH_S if was_active else None, draw_state)
    asked = ask(run)

    def draw_plots() -> None:
        now = _read(run)
        _draw_plots(now, _shown_metrics(now), asked)

    parts.every(REDRAW_S if was_active else None, draw_plots)


def _read(run: TrainingRun) -> TrainingRun:
    with parts.sentences():
        return read_run(run.path, TrainingRun)


def _shown_metrics(run: TrainingRun) -> Metrics:
    """The newest records or, while the curves are paused, those of the moment of pausing."""
    now = cache.metrics_of(run.path)
    if not run.state.is_active or not now.steps:
        return now
    key = f"paused-{run.run_id}"
    if not st.toggle("Pause the curves", key=key, help="To zoom in; the run goes on."):
        st.session_state.pop(f"{key}-at", None)
        return now
    return st.session_state.setdefault(f"{key}-at", now)


def _settled(metrics: Metrics) -> Metrics:
    """Without the newest steps, so that a plot, which redraws as a whole, does so rarely."""
    steps = metrics.steps
    kept = len(steps) - len(steps) % REDRAW_STEPS if len(steps) > REDRAW_STEPS else len(steps)
    return replace(metrics, steps=steps[:kept])


def _draw_state(run: TrainingRun, metrics: Metrics) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.state_badge(run)
        st.caption(_about(run))
        if run.state.is_active:
            _stop_button(run)
    if run.state is RunState.RUNNING:
        load = system_load()
        st.caption(
            f":material/speed: This machine: processor {load.cpu:.0%}, "
            f"{parts.megabytes(load.memory_used)} of {parts.megabytes(load.memory_total)} of memory"
            + _gpu(run.request.device)
        )
    _say_why(run)
    _figures(run, metrics)


def _draw_plots(run: TrainingRun, metrics: Metrics, asked: Asked) -> None:
    if metrics.steps or metrics.epochs:
        draw_curves(run, _settled(metrics) if run.state.is_active else metrics, asked)
    elif run.state.is_active:
        st.info("The curves begin with the first half second of training.", icon=":material/timer:")
    if metrics.damaged:
        st.warning(f"{metrics.damaged} damaged lines of this run's records were left out.")


def _gpu(device: str) -> str:
    """What a GPU adds to the line; nothing on a CPU."""
    if (gpu := gpu_load(device)) is None:
        return ""
    used, total = parts.megabytes(gpu.memory_used), parts.megabytes(gpu.memory_total)
    return f"; {gpu.name} {gpu.busy:.0%}, {used} of {total}"


def _about(run: TrainingRun) -> str:
    config, runtime = run.config, run.status.runtime
    where = f"{runtime.device}, {runtime.precision}" if runtime else run.request.device
    augmentation = f"augmentation `{config.augment.digest[:12]}`"
    return f"{config.model} on {run.data_title} · {where} · {augmentation}"


def _stop_button(run: TrainingRun) -> None:
    if run.state is RunState.STOPPING:
        waited = stopping_s(run)
        st.caption(f"Finishing its batch and keeping a checkpoint … {waited:.0f} s")
        if waited >= FORCE_AFTER_S:
            tip = "Ends its process. What came after its last checkpoint is lost."
            icon, key = ":material/dangerous:", f"force-{run.run_id}"
            st.button(
                "End by force", icon=icon, key=key, help=tip, on_click=parts.end_now, args=(run,)
            )
        return
    icon, key = ":material/stop_circle:", f"stop-{run.run_id}"
    st.button("Stop", icon=icon, key=key, on_click=parts.ask_to_stop, args=(run,))


def _say_why(run: TrainingRun) -> None:
    if run.state is RunState.QUEUED:
        ahead = queue_position(run.path)
        who = f"{ahead} before it" if ahead else "it is next"
        st.info(f"Waiting for {run.request.device}: {who}.", icon=":material/hourglass_empty:")
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        st.error(run.reason, icon=":material/error:")
        with st.expander("Last lines of its log", icon=":material/terminal:", expanded=True):
            st.code(log_tail(run.path) or "The log is empty.", language=None)
    elif run.reason:
        st.info(run.reason, icon=":material/info:")


def _figures(run: TrainingRun, metrics: Metrics) -> None:
    at, last, best = run_pace(run, metrics), metrics.epochs[-1:], metrics.best
    if run.state.is_active:
        st.progress(at.share, text=f"{at.share:.0%}")
    done = len(metrics.epochs)
    epoch = max(at.epoch, done) if run.state.is_active else done
    shown = {
        "Epoch": f"{epoch} / {run.config.epochs}",
        "Images per second": f"{at.images_per_s:,.0f}" if at.images_per_s else "–",
    }
    if run.state.is_active:
        shown["Time left"] = parts.duration(at.left_s) if at.left_s is not None else "–"
    else:
        shown["Took"] = "–" if run.took_s is None else parts.duration(run.took_s)
    judged = best or (last[0] if last else None)
    shown["Test accuracy"] = f"{judged.test_acc:.2%}" if judged else "–"
    tip = "Of the epoch with the highest validation accuracy; the test images choose nothing."
    parts.figures(shown, {"Test accuracy": tip if best else "Of the last epoch."})
