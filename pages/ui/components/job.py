"""Analysis jobs on a trained model: the start button, the progress, the result."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, read_run
from pages.ui.components import parts
from pages.ui.components.stop import stop_button
from pages.ui.session import cache, messages

_FAILED = (RunState.FAILED, RunState.INTERRUPTED)


def offer(
    jobs: Sequence[Run],
    label: str,
    icon: str,
    launch: Callable[[], Path],
    *,
    primary: bool = False,
    again: bool = False,
) -> Run | None:
    """The newest job if it completed; else its progress or the button that starts one.

    Args:
        again: Ignores completed jobs, because their result is missing or is to be replaced.
    """
    candidates = [job for job in jobs if not (again and job.state is RunState.COMPLETED)]
    job = candidates[0] if candidates else None
    if job and job.state is RunState.COMPLETED:
        return job
    if job and job.state.is_active:
        parts.redraw_every(0.5, lambda: progress_of(job))
        return None
    if job and job.state in _FAILED:
        messages.error(job.reason)
    if st.button(label, icon=icon, type="primary" if primary else "secondary", key=f"job-{label}"):
        with parts.show_errors():
            launch()
        st.rerun()
    return None


def progress_of(job: Run) -> None:
    """The progress of a job with its Stop button; reruns the page once the job has ended."""
    current = read_run(job.path)
    if not current.state.is_active:
        st.rerun()
    stages = cache.metrics_of(job.path).stages
    stage = stages[-1] if stages else None
    share = stage.done / stage.total if stage and stage.total else 0.0
    text = "Loading model …"
    if stage:
        text = f"{stage.stage}: {stage.done:,} of {stage.total:,} {stage.unit}"
    st.progress(share, text=text)
    stop_button(current)
