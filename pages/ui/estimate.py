"""How long a run will take: from a speed measured on this machine in a process of its own."""

import subprocess

import streamlit as st

from cifar_core.config import TrainConfig
from cifar_core.data import is_ready, split_indices
from cifar_core.errors import CifarCoreError
from cifar_core.preflight import failure, known_speed, note_path, start_measuring
from cifar_core.runs import RunState, list_runs
from pages.ui import cache, parts
from pages.ui.state import MEASURING


def estimate_line(config: TrainConfig) -> None:
    """The time a run will take; measured first where this machine does not know it yet."""
    if known_speed(config):
        _show(config)
        return
    active = [run for run in list_runs(cache.root()) if run.state is RunState.RUNNING]
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
        if known_speed(config) or failure(config) or measuring[key].poll() is not None:
            st.rerun()
        st.caption(":material/timer: Measuring how fast this runs here; it takes some seconds …")

    if measuring[key].poll() is None:
        parts.every(1.0, draw)
    else:
        _show(config)


def _show(config: TrainConfig) -> None:
    speed = known_speed(config)
    if speed is None:
        st.caption(f":material/timer_off: {failure(config) or 'The speed could not be measured.'}")
        return
    try:
        num_train, num_test = _sizes(config.data)
        num = split_indices(num_train, config.val_size, config.train_size, config.seed)
    except CifarCoreError as error:
        st.caption(f":material/timer_off: {error}")
        return
    seconds = speed.run_s(config, len(num[0]), len(num[1]) + num_test)
    st.markdown(
        f":material/timer: **About {parts.duration(seconds)}** for {config.epochs} epochs of "
        f"{len(num[0]):,} images: {speed.train:,.0f} images/s training, "
        f"{speed.evaluate:,.0f} images/s evaluating, measured on this machine."
    )


def _sizes(data: str) -> tuple[int, int]:
    """Training and test images; of CIFAR-10 even before it is decoded."""
    if not is_ready(data):
        return 50_000, 10_000
    opened = cache.dataset(data)
    return len(opened.train), len(opened.test)
