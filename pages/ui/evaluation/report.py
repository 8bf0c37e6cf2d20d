"""The report of a checkpoint: generate it, then download it."""

import streamlit as st

from cifar_core.jobs.launch_analysis import jobs_on, launch_report
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun
from pages.ui.components import job, parts
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import cache, messages


def report_button(subject: Subject) -> None:
    """Generates the report, shows the progress, and offers the download."""
    run, name = subject.run, subject.checkpoint.name
    jobs = jobs_on(cache.listing().runs(AnalysisJob), "report", run, name)
    completed = [job for job in jobs if job.state is RunState.COMPLETED]
    with st.popover("Report", icon=":material/description:"):
        st.caption(
            "One self-contained HTML file: settings, curves, confusion matrix, most confident "
            "errors with Grad-CAM, and the commands to reproduce the run."
        )
        if completed:
            _download(run, completed[0])
        job.offer(
            jobs,
            "Regenerate report" if completed else "Generate report",
            ":material/edit_document:",
            lambda: launch_report(cache.root(), run, name),
            primary=not completed,
            again=True,
        )


def _download(run: TrainingRun, report_job: AnalysisJob) -> None:
    path = report_job.path / layout.REPORT
    if not path.is_file():
        messages.error("The report file is missing. Regenerate it.")
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
    generated = f"{report_job.created:%Y-%m-%d %H:%M} UTC"
    st.caption(f"{parts.megabytes(path.stat().st_size)}, generated {generated}")
