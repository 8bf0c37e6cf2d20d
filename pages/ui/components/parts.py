"""Small components that several pages use: headings, errors, the dataset, number formats."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from cifar_core.data import Dataset
from cifar_core.data.store import modified_copies
from cifar_core.errors import CifarCoreError
from cifar_core.jobs.launch import resume_run
from cifar_core.runs.index import Listing
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun
from pages.ui.session import cache, messages
from pages.ui.session.state import DATA

APP = "CIFAR-10 Lab"
NAMES = {"cifar10": "CIFAR-10", "shapes10": "Shapes-10"}
STATES: dict[RunState, tuple[str, str]] = {
    RunState.QUEUED: ("gray", ":material/hourglass_empty:"),
    RunState.RUNNING: ("blue", ":material/directions_run:"),
    RunState.STOPPING: ("orange", ":material/front_hand:"),
    RunState.COMPLETED: ("green", ":material/check_circle:"),
    RunState.STOPPED: ("orange", ":material/stop_circle:"),
    RunState.FAILED: ("red", ":material/error:"),
    RunState.INTERRUPTED: ("red", ":material/power_off:"),
}


@contextmanager
def show_errors() -> Iterator[None]:
    """Shows an error that the user can fix as a message and stops the page there."""
    try:
        yield
    except CifarCoreError as error:
        messages.error(error)
        st.stop()


def heading(title: str, about: str) -> None:
    """The page's title, on the browser's tab too, and a one-line description."""
    name_tab(title)
    st.title(title)
    st.caption(about)


def name_tab(*words: str) -> None:
    """The text of the browser's tab: what is looked at, the page, the app."""
    st.set_page_config(page_title=" · ".join(dict.fromkeys([*words, APP])))


def state_badge(run: Run) -> None:
    """A run's state as a colored badge."""
    color, icon = STATES[run.state]
    st.badge(str(run.state), icon=icon, color=color)  # pyright: ignore[reportArgumentType] # a color name, from STATES


def shipped_badge() -> None:
    """Says of a run that it came with the app."""
    tip = "Read-only. Duplicate it, or fine-tune from it: that is a run of your own."
    st.badge("came with the app", icon=":material/inventory_2:", color="gray", help=tip)


def resume_button(run: Run, primary: bool = False) -> None:
    """The Resume button of a run that ended early."""
    if not isinstance(run, TrainingRun) or not run.state.can_resume or run.is_shipped:
        return
    kind = "primary" if primary else "secondary"
    if st.button("Resume", type=kind, icon=":material/resume:"):
        with show_errors(), st.spinner("Starting …"):
            resume_run(run)
        st.rerun()


def warn_unreadable(listing: Listing) -> None:
    """Warns about the runs that cannot be listed, with the reason."""
    for path, reason in listing.unreadable():
        messages.warning(f"Skipped run {path.name}. {reason}", icon=":material/folder_off:")


def empty_state(text: str, page: str, label: str, icon: str) -> None:
    """What this page will show, and a link to the next step."""
    with st.container(border=True):
        st.write(text)
        st.page_link(page, label=label, icon=icon)


def select_data() -> Dataset:
    """The dataset picker; stops the page with an error if the dataset cannot be opened."""
    state, _ = cache.cifar10_state()
    names = {**NAMES, **modified_copies()}
    options = [name for name in names if name != "cifar10" or state == "ready"]
    current = st.query_params.get("data") or st.session_state.get(DATA)
    if current and current not in options:
        gone = f"{NAMES.get(current, current[:80])} is not available."
        messages.warning(f"{gone} Showing {names[options[0]]} instead.", icon=":material/link_off:")
    current = current if current in options else options[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Dataset",
            options,
            default=current,
            required=True,
            format_func=names.__getitem__,
            key="select_data",
        )
        if state != "ready":
            st.page_link("pages/home.py", label="Get CIFAR-10", icon=":material/download:")
    st.session_state[DATA] = st.query_params["data"] = str(name)
    with show_errors():
        data = cache.dataset(str(name))
    if data.modified:
        messages.warning(data.title, icon=":material/warning:")
    return data


def metrics_row(values: dict[str, str], tips: dict[str, str] | None = None) -> None:
    """Metrics in a row, wrapped on a narrow screen."""
    with st.container(horizontal=True):
        for label, value in values.items():
            tip = (tips or {}).get(label)
            st.metric(label, value, border=True, help=tip, width="stretch")


def duration(seconds: float) -> str:
    """Seconds with a unit, such as 45 s, 12 min or 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def megabytes(num_bytes: float) -> str:
    """Bytes with a unit, such as 45 MB or 1.2 GB."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes > 1e9 else f"{num_bytes / 1e6:.0f} MB"


def count(number: int, noun: str) -> str:
    """A number with its noun, such as 1 run or 2 runs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def dark() -> bool:
    """Whether the dark theme is active."""
    return st.context.theme.type == "dark"


def redraw_every(seconds: float | None, draw: Callable[[], None]) -> None:
    """Draws now; if `seconds` is given, redraws at that interval without the rest of the page."""
    st.fragment(draw, run_every=seconds)()
