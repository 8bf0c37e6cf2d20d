"""Jobs that look at a trained model: asked for, watched, and then there."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, read_run
from pages.ui.components import parts
from pages.ui.session import cache

_SORRY = (RunState.FAILED, RunState.INTERRUPTED)


def offer(
    jobs: Sequence[Run],
    label: str,
    icon: str,
    launch: Callable[[], Path],
    *,
    primary: bool = False,
    again: bool = False,
) -> Run | None:
    """The newest of the jobs if it completed; else how far it is, or the button that starts one.

    Args:
        again: Whether one that completed does not count: what it made is gone, or to be replaced.
    """
    counted = [one for one in jobs if not (again and one.state is RunState.COMPLETED)]
    job = counted[0] if counted else None
    if job and job.state is RunState.COMPLETED:
        return job
    if job and job.state.is_active:
        parts.every(0.5, lambda: progress_of(job))
        return None
    if job and job.state in _SORRY:
        st.error(job.reason, icon=":material/error:")
    if st.button(label, icon=icon, type="primary" if primary else "secondary", key=f"job-{label}"):
        with parts.sentences():
            launch()
        st.rerun()
    return None


def progress_of(job: Run) -> None:
    """How far a job is; draws the page anew once it has ended."""
    now = read_run(job.path)
    if not now.state.is_active:
        st.rerun()
    stages = cache.metrics_of(job.path).stages
    at = stages[-1] if stages else None
    share = at.done / at.total if at and at.total else 0.0
    told = f"{at.stage}: {at.done:,} of {at.total:,} {at.unit}" if at else "Loading the model …"
    st.progress(share, text=told)
    icon, key = ":material/stop_circle:", f"stop-{job.run_id}"
    st.button("Stop", icon=icon, key=key, on_click=parts.ask_to_stop, args=(now,))
