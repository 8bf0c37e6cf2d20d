"""A run: state, metrics, curves, log; live while it runs."""

import time
from dataclasses import replace

import streamlit as st

from cifar_core.jobs.queue import queue_position
from cifar_core.records.records import Metrics
from cifar_core.runs.lifecycle import FORCE_AFTER_S, stopping_s
from cifar_core.runs.pace import run_pace
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.utilization import gpu_load, system_load
from pages.ui.components import parts
from pages.ui.components.curves import CurveOptions, curve_options, draw_curves
from pages.ui.components.stop import force_stop_button, stop_button
from pages.ui.evaluation.error_tiles import confident_errors
from pages.ui.session import cache, messages
from pages.ui.session.messages import plain

REFRESH_S = 2.0
REDRAW_S = 3.0  # less often, since a chart costs the browser more than a number
REDRAW_STEPS = 12  # records of half a second each


def run_view(run: TrainingRun) -> None:
    """Draws a run; the state and the curves refresh separately until it ends."""
    was_active = run.state.is_active

    def draw_state() -> None:
        current = _read(run)
        _draw_state(current, cache.metrics_of(current.path))
        if was_active and not current.state.is_active:
            st.rerun()  # once, so that the rest of the page shows the end

    parts.redraw_every(REFRESH_S if was_active else None, draw_state)
    if not was_active:
        confident_errors(run)
    options = curve_options(run)

    def draw_plots() -> None:
        current = _read(run)
        _draw_plots(current, _metrics_to_draw(current), options)

    parts.redraw_every(REDRAW_S if was_active else None, draw_plots)


def _read(run: TrainingRun) -> TrainingRun:
    with parts.show_errors():
        return read_run(run.path, TrainingRun)


def _metrics_to_draw(run: TrainingRun) -> Metrics:
    """The newest records or, while the curves are paused, those from when they were paused."""
    newest = cache.metrics_of(run.path)
    if not run.state.is_active or not newest.steps:
        return newest
    key = f"paused-{run.run_id}"
    if not st.toggle("Pause curves", key=key, help="To zoom in. The run continues."):
        st.session_state.pop(f"{key}-at", None)
        return newest
    return st.session_state.setdefault(f"{key}-at", newest)


def _without_newest(metrics: Metrics) -> Metrics:
    """Drops the newest steps, so that the charts, which redraw completely, redraw less often."""
    steps = metrics.steps
    size = len(steps) - len(steps) % REDRAW_STEPS if len(steps) > REDRAW_STEPS else len(steps)
    return replace(metrics, steps=steps[:size])


def _draw_state(run: TrainingRun, metrics: Metrics) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.state_badge(run)
        if run.is_shipped:
            parts.shipped_badge()
        st.caption(_about(run))
        if run.state.is_active:
            _stop_controls(run)
    if run.state is RunState.RUNNING:
        load = system_load()
        st.caption(
            f":material/speed: System: CPU {load.cpu:.0%}, memory "
            f"{parts.megabytes(load.memory_used)} / {parts.megabytes(load.memory_total)}"
            + _gpu(run.request.device)
        )
    _show_reason(run)
    _figures(run, metrics)


def _draw_plots(run: TrainingRun, metrics: Metrics, options: CurveOptions) -> None:
    if metrics.steps or metrics.epochs:
        draw_curves(run, _without_newest(metrics) if run.state.is_active else metrics, options)
    elif run.state.is_active:
        messages.info("Waiting for the first step …", icon=":material/timer:")
    if metrics.damaged:
        messages.warning(
            f"Skipped {parts.count(metrics.damaged, 'damaged line')} of metrics.jsonl."
        )


def _gpu(device: str) -> str:
    """The GPU's load as text; empty on a CPU."""
    if (gpu := gpu_load(device)) is None:
        return ""
    used, total = parts.megabytes(gpu.memory_used), parts.megabytes(gpu.memory_total)
    return f"; {gpu.name} {gpu.busy:.0%}, {used} / {total}"


def _about(run: TrainingRun) -> str:
    config, runtime = run.config, run.status.runtime
    where = f"{runtime.device}, {runtime.precision}" if runtime else run.request.device
    augmentation = f"augmentation `{config.augment.digest[:12]}`"
    return f"{config.model} on {plain(run.data_title)} · {where} · {augmentation}"


def _stop_controls(run: TrainingRun) -> None:
    """Stop; while the run is stopping, how long it takes and, after a while, Force stop."""
    if run.state is RunState.STOPPING:
        waited = stopping_s(run)
        st.caption(f"Finishing the batch and saving a checkpoint … {waited:.0f} s")
        if waited >= FORCE_AFTER_S:
            force_stop_button(run)
        return
    stop_button(run)


def _show_reason(run: TrainingRun) -> None:
    if run.state is RunState.QUEUED:
        num_ahead = queue_position(run.path)
        device = run.request.device.upper()
        place = f"{num_ahead} ahead" if num_ahead else "next"
        messages.info(f"Queued: {place} on {device}", icon=":material/hourglass_empty:")
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        messages.error(run.reason)
        with st.expander("End of the log", icon=":material/terminal:", expanded=True):
            st.code(log_tail(run.path) or "The log is empty.", language=None)
    elif run.reason:
        messages.info(run.reason, icon=":material/info:")


def _elapsed_s(run: TrainingRun) -> float | None:
    """Seconds that a run has taken, earlier attempts included; None while it waits."""
    status = run.status
    if run.state is RunState.QUEUED or status.elapsed is None or status.updated is None:
        return None
    return status.elapsed + max(time.time() - status.updated, 0.0)


def _figures(run: TrainingRun, metrics: Metrics) -> None:
    pace, last, best = run_pace(run, metrics), metrics.epochs[-1:], metrics.best
    if run.state.is_active:
        st.progress(pace.share, text=f"{pace.share:.0%}")
    done = len(metrics.epochs)
    epoch = max(pace.epoch, done) if run.state.is_active else done
    values = {
        "Epoch": f"{epoch} / {run.config.epochs}",
        "Images per second": f"{pace.images_per_s:,.0f}" if pace.images_per_s else "–",
    }
    if run.state.is_active:
        values["Elapsed"] = parts.duration(elapsed) if (elapsed := _elapsed_s(run)) else "–"
        values["Time left"] = parts.duration(pace.left_s) if pace.left_s is not None else "–"
    else:
        values["Duration"] = "–" if run.took_s is None else parts.duration(run.took_s)
    record = best or (last[0] if last else None)
    values["Test accuracy"] = f"{record.test_acc:.2%}" if record else "–"
    tip = (
        "At the epoch with the best validation accuracy. Test images are never used for selection."
    )
    parts.metrics_row(values, {"Test accuracy": tip if best else "At the last epoch."})
