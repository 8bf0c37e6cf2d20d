"""How long a run will take: from a speed measured on this machine in a process of its own."""

import subprocess
from collections.abc import Callable

import streamlit as st

from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.forecast.forecast import bottleneck, failure, forecast, known_throughput, note_path
from cifar_core.forecast.preflight import start_measuring
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, disk_bytes
from pages.ui.components import parts
from pages.ui.session import cache
from pages.ui.session.state import COSTED, MEASURING


def estimate_line(config: TrainConfig) -> None:
    """The time a run will take; measured first where this machine does not know it yet."""
    _measured(config, _show)


def spec_cost(config: TrainConfig) -> None:
    """How fast a config's augmentation is here, and whether it holds the model up."""
    asked = st.session_state.setdefault(COSTED, set())
    key = note_path(config).name
    if known_throughput(config) or key in asked:
        _measured(config, _show_cost)
    elif st.button("How fast is it here?", icon=":material/speed:", help="Some seconds of work."):
        asked.add(key)
        st.rerun()


def _show_cost(config: TrainConfig) -> None:
    speed = known_throughput(config)
    if speed is None:
        st.caption(f":material/timer_off: {failure(config) or 'The speed could not be measured.'}")
        return
    st.caption(
        f":material/speed: {speed.loader:,.0f} images/s of this augmentation on this machine; "
        f"{config.model} could train on {speed.device:,.0f}. {bottleneck(config, speed)}"
    )


def _measured(config: TrainConfig, show: Callable[[TrainConfig], None]) -> None:
    """Shows what is known of a config's speed, once it was measured."""
    if known_throughput(config):
        show(config)
        return
    active = [run for run in cache.listing().runs() if run.state is RunState.RUNNING]
    if active:
        st.caption(f":material/timer_off: No estimate while {active[0].name} uses this machine.")
        return
    measuring: dict[str, subprocess.Popen[bytes]] = st.session_state.setdefault(MEASURING, {})
    key = note_path(config).name
    for other in [k for k in measuring if k != key]:
        measuring.pop(other).terminate()  # nobody waits for it any more
    if key not in measuring:
        measuring[key] = start_measuring(config)

    def draw() -> None:
        if known_throughput(config) or failure(config) or measuring[key].poll() is not None:
            st.rerun()
        st.caption(":material/timer: Measuring how fast this runs here; it takes some seconds …")

    if measuring[key].poll() is None:
        parts.every(1.0, draw)
    else:
        show(config)


def _show(config: TrainConfig) -> None:
    try:
        found = forecast(config)
    except CifarCoreError as error:
        st.caption(f":material/timer_off: {error}")
        return
    if found is None:
        st.caption(f":material/timer_off: {failure(config) or 'The speed could not be measured.'}")
        return
    st.markdown(
        f":material/timer: **About {parts.duration(found.seconds)}** for {config.epochs} epochs of "
        f"{found.num_train:,} images, {parts.megabytes(found.memory_bytes)} of memory, "
        f"{parts.megabytes(found.disk_bytes)} on disk."
    )
    st.caption(
        f"Measured on this machine: {found.train:,.0f} images/s training, {found.evaluate:,.0f} "
        f"images/s evaluating. {found.verdict}"
    )


def compare_with_truth(run: TrainingRun) -> None:
    """What a completed run was forecast to take, and what it took."""
    expected = run.request.forecast
    took_s = run.took_s
    if run.state is not RunState.COMPLETED or expected is None or took_s is None:
        return
    if cache.metrics_of(run.path).resumes:
        return  # its time is not that of an undisturbed run
    seconds, memory, disk = expected.seconds, expected.memory_bytes, expected.disk_bytes
    if not seconds:
        return
    used = run.status.memory_bytes
    st.caption(
        f":material/timer: Took {parts.duration(took_s)} (forecast: {parts.duration(seconds)}), "
        f"{parts.megabytes(used)} of memory (forecast: {parts.megabytes(memory)}), "
        f"{parts.megabytes(disk_bytes(run))} on disk (forecast: {parts.megabytes(disk)}). "
        f"The time differs by {took_s / seconds - 1:+.0%}."
    )
