"""Getting data: download, import from a folder, or Shapes-10; and the progress of the job."""

import streamlit as st

from cifar_core.jobs.launch import launch_data
from cifar_core.runs.store import DataJob, Run
from cifar_core.system.paths import user_path
from pages.ui.components import parts
from pages.ui.components.stop import stop_button
from pages.ui.session import cache
from pages.ui.session.state import DATA, draft, replace_draft


def data_sources(downloads: bool) -> None:
    """Widgets to download CIFAR-10, import it from a folder, or start with Shapes-10."""
    if downloads:
        _download()
    with st.expander("Import from folder", icon=":material/folder_open:"):
        path = st.text_input("Folder on the server", placeholder="/data/cifar10")
        accept = st.checkbox(
            "Allow incomplete or modified data", help="Labeled as modified on all pages."
        )
        if st.button("Import", disabled=not path, key="read_folder"):
            start_import("folder", path, accept)
    tip = "Synthetic shapes, no download needed."
    if st.button("Start with Shapes-10", icon=":material/shapes:", help=tip):
        st.session_state[DATA] = "shapes10"
        replace_draft({**draft(), "data": "shapes10"})
        st.switch_page("pages/train.py")


def _download() -> None:
    """The download source and the Download button."""
    origin = st.segmented_control(
        "Source",
        ["archive", "hub"],
        default="archive",
        required=True,
        format_func={"archive": "Official", "hub": "Hugging Face"}.__getitem__,
        help="University of Toronto's archive (163 MB), or the same images as Parquet (144 MB).",
    )
    if st.button("Download", type="primary", icon=":material/download:"):
        start_import(origin)


def start_import(origin: str, path: str = "", allow_modified: bool = False) -> None:
    """Starts the job that gets the data."""
    if not any(job.state.is_active for job in cache.listing().runs(DataJob)):
        with parts.show_errors():
            launch_data(cache.root(), origin, path, allow_modified)
    if allow_modified:
        st.session_state[DATA] = str(user_path(path))
    st.rerun()


def progress(job: Run) -> None:
    """The progress of the download or import, with Cancel."""
    jobs = cache.listing().runs(DataJob)
    if not jobs or not jobs[0].state.is_active:
        st.rerun()
    stages = cache.metrics_of(job.path).stages
    stage = stages[-1] if stages else None
    if stage is None or not stage.total:
        st.progress(0.0, text="Starting …")
    else:
        amount = (
            parts.megabytes(stage.done) if stage.unit == "bytes" else f"{stage.done:,} {stage.unit}"
        )
        st.progress(min(stage.done / stage.total, 1.0), text=f"{stage.stage}: {amount}")
    stop_button(job, "Cancel", help="The next download resumes where this one ends.")
