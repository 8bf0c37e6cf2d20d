"""The report of a checkpoint: written at a click, then there to take along."""

import streamlit as st

from cifar_core.jobs.launch_analysis import jobs_on, launch_report
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun
from pages.ui.components import job, parts
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import cache


def report_button(subject: Subject) -> None:
    """Writes the report, shows how far that is, and gives it out."""
    run, name = subject.run, subject.checkpoint.name
    jobs = jobs_on(cache.listing().runs(AnalysisJob), "report", run, name)
    written = [one for one in jobs if one.state is RunState.COMPLETED]
    with st.popover("Report", icon=":material/description:"):
        st.caption(
            "Settings, curves, matrix, the worst errors with their maps, and how to repeat the "
            "run: one HTML file that opens offline."
        )
        if written:
            _download(run, written[0])
        job.offer(
            jobs,
            "Write it again" if written else "Write the report",
            ":material/edit_document:",
            lambda: launch_report(cache.root(), run, name),
            primary=not written,
            again=True,
        )


def _download(run: TrainingRun, found: AnalysisJob) -> None:
    path = found.path / layout.REPORT
    if not path.is_file():
        st.error("The report is gone. Write it again.", icon=":material/error:")
        return
    st.download_button(
        "Download",
        path.read_bytes,
        f"{run.name}.html",
        "text/html",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )
    st.caption(f"{parts.megabytes(path.stat().st_size)}, of {found.created:%Y-%m-%d %H:%M} UTC")
