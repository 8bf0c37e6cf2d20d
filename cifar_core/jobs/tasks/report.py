"""The report of a run; evaluates first where that is missing. It waits for no device."""

from typing import TYPE_CHECKING

from cifar_core.jobs.tasks.evaluate import evaluate_split
from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.system.progress import Progress

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest


def write_report(job: "JobContext", request: "AnalysisRequest") -> RunState:
    """Writes the report on the test images of the request's checkpoint."""
    from cifar_core.evaluation.available import available_file, load_predictions
    from cifar_core.report.html import report_html, worst_cards
    from cifar_core.system.files import write_atomic

    job.start()
    subject = subject_of(job, request)
    run, _, checkpoint, _ = subject
    if not available_file(run, checkpoint) and not evaluate_split(job, subject, "test"):
        return RunState.STOPPED
    predictions = load_predictions(run, checkpoint.name)
    if not record_progress(job, [Progress("Computing Grad-CAM maps", 0, 2, "parts")]):
        return RunState.STOPPED
    cards, maps = worst_cards(predictions)
    if not record_progress(job, [Progress("Writing", 1, 2, "parts")]):
        return RunState.STOPPED
    page = report_html(run, predictions, cards, maps)
    write_atomic(job.run_dir / layout.REPORT, page.encode())
    record_progress(job, [Progress("Written", 2, 2, "parts")])
    return RunState.COMPLETED
