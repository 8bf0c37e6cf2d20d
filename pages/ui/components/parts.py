"""Parts of the screen that several pages use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import streamlit as st

from cifar_core.data import Dataset
from cifar_core.data.store import altered_copies
from cifar_core.errors import CifarCoreError, RunError
from cifar_core.jobs.launch import resume_run
from cifar_core.runs.index import Listing
from cifar_core.runs.lifecycle import force_stop, request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun
from pages.ui.session import cache
from pages.ui.session.state import DATA

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
def sentences() -> Iterator[None]:
    """Shows what is the user's to mend as a sentence and ends the page there."""
    try:
        yield
    except CifarCoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def heading(title: str, about: str) -> None:
    """The page's title and what it is for."""
    st.title(title)
    st.caption(about)


def state_badge(run: Run) -> None:
    """The state in its colour."""
    colour, icon = STATES[run.state]
    st.badge(str(run.state), icon=icon, color=colour)  # pyright: ignore[reportArgumentType] # a colour name by the table


def ask_to_stop(run: Run) -> None:
    """For `on_click`: a callback is heard in whatever rerun the click arrives."""
    with suppress(RunError):  # it ended meanwhile, which the page is about to show
        request_stop(run)


def end_now(run: Run) -> None:
    """For `on_click`: ends a run by force."""
    with suppress(RunError):  # as above
        force_stop(run)


def resume_button(run: Run, primary: bool = False) -> None:
    """Where a run ended before its work was done: lets it go on."""
    if not isinstance(run, TrainingRun) or not run.state.can_resume:
        return
    kind = "primary" if primary else "secondary"
    if st.button("Resume", type=kind, icon=":material/resume:"):
        with sentences(), st.spinner("Starting …"):
            resume_run(run)
        st.rerun()


def name_unreadable(listing: Listing) -> None:
    """Names the runs that a list leaves out, and why."""
    for path, why in listing.unreadable():
        st.warning(f"Left out: {path.name}. {why}", icon=":material/folder_off:")


def empty_state(text: str, page: str, label: str, icon: str) -> None:
    """What to see here later, and the link that leads there."""
    with st.container(border=True):
        st.write(text)
        st.page_link(page, label=label, icon=icon)


def pick_data() -> Dataset:
    """Lets people choose among the data sets; ends the page with the next step if there is none."""
    state, _ = cache.cifar10_state()
    names = {**NAMES, **altered_copies()}
    offered = [name for name in names if name != "cifar10" or state == "ready"]
    chosen = st.query_params.get("data") or st.session_state.get(DATA)
    chosen = chosen if chosen in offered else offered[0]  # a run may use a folder instead
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.segmented_control(
            "Data set",
            offered,
            default=chosen,
            required=True,
            format_func=names.__getitem__,
            key="pick_data",
        )
        if state != "ready":
            st.page_link("pages/home.py", label="Get CIFAR-10", icon=":material/download:")
    st.session_state[DATA] = st.query_params["data"] = str(picked)
    with sentences():
        data = cache.dataset(str(picked))
    if data.altered:
        st.warning(data.title, icon=":material/warning:")
    return data


def figures(shown: dict[str, str], tips: dict[str, str] | None = None) -> None:
    """Figures side by side, two in a row on a narrow screen."""
    with st.container(horizontal=True):
        for label, value in shown.items():
            tip = (tips or {}).get(label)
            st.metric(label, value, border=True, help=tip, width="stretch")


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def megabytes(num_bytes: float) -> str:
    """Bytes as people say them."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes > 1e9 else f"{num_bytes / 1e6:.0f} MB"


def count(number: int, noun: str) -> str:
    """A number with its noun, such as 1 run or 2 runs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def dark() -> bool:
    """Whether the page is dark now."""
    return st.context.theme.type == "dark"


def every(seconds: float | None, draw: Callable[[], None]) -> None:
    """Draws now and, where `seconds` is given, again and again without the rest of the page."""
    st.fragment(draw, run_every=seconds)()
