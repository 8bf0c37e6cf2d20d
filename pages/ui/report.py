"""The report of a checkpoint: written at a click, then there to take along."""

import streamlit as st

from cifar_core.launch_explain import jobs_on, launch_report
from cifar_core.report import FILE
from cifar_core.runs import Run
from cifar_core.states import RunState
from pages.ui import cache, job, parts
from pages.ui.subject import Subject


def report_button(subject: Subject) -> None:
    """Writes the report, shows how far that is, and gives it out."""
    run, name = subject.run, subject.checkpoint.name
    jobs = jobs_on(cache.listing().runs("report"), run, name)
    written = bool(jobs) and jobs[0].state is RunState.COMPLETED
    with st.popover("Report", icon=":material/description:"):
        st.caption(
            "Settings, curves, matrix, the worst errors with their maps, and how to repeat the "
            "run: one HTML file that opens offline."
        )
        if written:
            _download(run, jobs[0])
        launch = lambda: launch_report(cache.root(), run, name)  # noqa: E731 # named for both
        if not written:
            job.offer(jobs, "Write the report", ":material/edit_document:", launch, primary=True)
        elif st.button("Write it again", icon=":material/refresh:"):
            with parts.sentences():
                launch()
            st.rerun()


def _download(run: Run, found: Run) -> None:
    try:
        content = (found.path / FILE).read_bytes()
    except OSError as error:
        st.error(f"The report cannot be read ({error.strerror}). Write it again.")
        return
    st.download_button(
        "Download",
        content,
        f"{run.name}.html",
        "text/html",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )
    st.caption(f"{len(content) / 1e6:.1f} MB, of {found.created:%Y-%m-%d %H:%M} UTC")
