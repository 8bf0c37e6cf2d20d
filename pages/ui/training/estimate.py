"""Forecast of a run's time, memory and disk, from throughput measured on this machine."""

import subprocess
from collections.abc import Callable

import streamlit as st

from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.forecast.forecast import bottleneck, failure, forecast, known_throughput, note_path
from cifar_core.forecast.preflight import is_renewable, start_measuring
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, disk_bytes
from pages.ui.components import parts
from pages.ui.session import cache
from pages.ui.session.messages import plain
from pages.ui.session.state import MEASURE_REQUESTS, MEASURING


def estimate_line(config: TrainConfig) -> None:
    """The forecast for a run; measures the throughput first if it is unknown."""
    _with_throughput(config, _show_forecast)


def augmentation_throughput(config: TrainConfig) -> None:
    """Throughput of a config's augmentation, and whether it is the bottleneck."""
    requested = st.session_state.setdefault(MEASURE_REQUESTS, set())
    key = note_path(config).name
    if known_throughput(config) or key in requested:
        _with_throughput(config, _show_throughput)
    elif st.button("Measure throughput", icon=":material/speed:", help="Takes a few seconds."):
        requested.add(key)
        st.rerun()


def _show_throughput(config: TrainConfig) -> None:
    speed = known_throughput(config)
    if speed is None:
        st.caption(
            f":material/timer_off: {plain(failure(config) or 'Throughput could not be measured.')}"
        )
        return
    st.caption(
        f":material/speed: Augmentation: {speed.loader:,.0f} images/s on this machine. "
        f"{config.model} alone: {speed.device:,.0f} images/s. {bottleneck(config, speed)}"
    )


def _with_throughput(config: TrainConfig, show: Callable[[TrainConfig], None]) -> None:
    """Calls `show` once the throughput of a config is known; measures it if necessary."""
    measuring: dict[str, subprocess.Popen[bytes]] = st.session_state.setdefault(MEASURING, {})
    key = note_path(config).name
    if known_throughput(config):
        if key not in measuring and is_renewable(config):
            measuring[key] = start_measuring(config)
        show(config)
        return
    active = [run for run in cache.listing().runs() if run.state is RunState.RUNNING]
    if active:
        st.caption(f":material/timer_off: No estimate while {plain(active[0].name)} is running.")
        return
    for other in [k for k in measuring if k != key]:
        measuring.pop(other).terminate()  # no longer needed
    if key not in measuring:
        measuring[key] = start_measuring(config)

    def draw() -> None:
        if known_throughput(config) or failure(config) or measuring[key].poll() is not None:
            st.rerun()
        st.caption(":material/timer: Measuring throughput, takes a few seconds …")

    if measuring[key].poll() is None:
        parts.redraw_every(1.0, draw)
    else:
        show(config)


def _show_forecast(config: TrainConfig) -> None:
    try:
        estimate = forecast(config)
    except CifarCoreError as error:
        st.caption(f":material/timer_off: {plain(error)}")
        return
    if estimate is None:
        st.caption(
            f":material/timer_off: {plain(failure(config) or 'Throughput could not be measured.')}"
        )
        return
    st.markdown(
        f":material/timer: **About {parts.duration(estimate.seconds)}** for "
        f"{parts.count(config.epochs, 'epoch')} of {estimate.num_train:,} images, "
        f"{parts.megabytes(estimate.memory_bytes)} of memory, "
        f"{parts.megabytes(estimate.disk_bytes)} on disk."
    )
    st.caption(
        f"Measured on this machine: {estimate.train:,.0f} images/s training, "
        f"{estimate.evaluate:,.0f} images/s evaluation. {estimate.verdict}"
    )


def compare_with_forecast(run: TrainingRun) -> None:
    """A completed run's time, memory and disk beside their forecast."""
    expected = run.request.forecast
    took_s = run.took_s
    if run.state is not RunState.COMPLETED or expected is None or took_s is None:
        return
    if cache.metrics_of(run.path).resumes:
        return  # its time includes the interruption
    seconds, memory, disk = expected.seconds, expected.memory_bytes, expected.disk_bytes
    if not seconds:
        return
    used = run.status.memory_bytes
    st.caption(
        f":material/timer: Duration {parts.duration(took_s)} (forecast {parts.duration(seconds)}, "
        f"{took_s / seconds - 1:+.0%}), memory {parts.megabytes(used)} "
        f"(forecast {parts.megabytes(memory)}), disk {parts.megabytes(disk_bytes(run))} "
        f"(forecast {parts.megabytes(disk)})"
    )
