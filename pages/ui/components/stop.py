"""The Stop button: one for runs, LR tests and every other job."""

from contextlib import suppress

import streamlit as st

from cifar_core.errors import RunError
from cifar_core.runs.lifecycle import force_stop, request_stop
from cifar_core.runs.store import Run


def stop_button(run: Run, label: str = "Stop", *, help: str | None = None) -> None:
    """Draws the button that asks a job to stop.

    The request is sent from the callback, since a click may arrive in any rerun of the page.
    """
    st.button(
        label,
        icon=":material/stop_circle:",
        key=f"stop-{run.run_id}",
        help=help,
        on_click=_request_stop,
        args=(run,),
    )


def force_stop_button(run: Run) -> None:
    """Draws the button that kills a job which does not stop."""
    st.button(
        "Force stop",
        icon=":material/dangerous:",
        key=f"force-{run.run_id}",
        help="Kills the process. Progress since the last checkpoint is lost.",
        on_click=_force_stop,
        args=(run,),
    )


def _request_stop(run: Run) -> None:
    with suppress(RunError):  # it has ended in the meantime, and the page is about to show that
        request_stop(run)


def _force_stop(run: Run) -> None:
    with suppress(RunError):  # as above
        force_stop(run)
