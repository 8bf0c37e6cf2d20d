"""Getting CIFAR-10: the three ways, and the job that does it as it goes."""

from pathlib import Path

import streamlit as st

from cifar_core.jobs.launch import launch_data
from cifar_core.runs.files import Origin
from cifar_core.runs.store import DataJob, Run
from pages.ui.components import parts
from pages.ui.components.parts import ask_to_stop
from pages.ui.session import cache
from pages.ui.session.state import DATA, draft, replace_draft


def choose(downloads: bool) -> None:
    """Download, a folder, or Shapes-10."""
    if downloads:
        _download()
    with st.expander("Use a folder", icon=":material/folder_open:"):
        path = st.text_input("Folder on this machine", placeholder="/data/cifar10")
        accept = st.checkbox("Accept a partial or changed copy", help="It is named as such.")
        if st.button("Read it in", disabled=not path, key="read_folder"):
            start("folder", path, accept)
    if st.button("Start with Shapes-10", icon=":material/shapes:", help="Drawn by code, at once."):
        st.session_state[DATA] = "shapes10"
        replace_draft({**draft(), "data": "shapes10"})
        st.switch_page("pages/train.py")


def _download() -> None:
    """From where, and the button."""
    origin = st.segmented_control(
        "From",
        ["archive", "hub"],
        default="archive",
        required=True,
        format_func={"archive": "University of Toronto", "hub": "Hugging Face"}.__getitem__,
        help="The official archive (163 MB), or the same images as Parquet (144 MB).",
    )
    if st.button("Download", type="primary", icon=":material/download:"):
        start(origin)


def start(origin: Origin, path: str = "", accept_altered: bool = False) -> None:
    """Starts the job that gets the data."""
    if not any(job.state.is_active for job in cache.listing().runs(DataJob)):
        with parts.sentences():
            launch_data(cache.root(), origin, path, accept_altered)
    if accept_altered:
        st.session_state[DATA] = str(Path(path).expanduser().absolute())
    st.rerun()


def progress(job: Run) -> None:
    """The download as it is now, with Cancel."""
    jobs = cache.listing().runs(DataJob)
    if not jobs or not jobs[0].state.is_active:
        st.rerun()
    stages = cache.metrics_of(job.path).stages
    at = stages[-1] if stages else None
    if at is None or not at.total:
        st.progress(0.0, text="Starting …")
    else:
        amount = parts.megabytes(at.done) if at.unit == "bytes" else f"{at.done:,} {at.unit}"
        st.progress(min(at.done / at.total, 1.0), text=f"{at.stage}: {amount}")
    tip = "What has arrived is kept; the next download goes on from there."
    icon = ":material/close:"
    st.button("Cancel", icon=icon, help=tip, key="cancel", on_click=ask_to_stop, args=(job,))
