"""The report of a run; evaluates first where that is missing. It waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.tasks.evaluate import evaluate_split
from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.runs.states import RunState
from cifar_core.system.progress import Progress

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext


def write_report(worker: "JobContext", request: dict[str, Any]) -> RunState:
    """Writes the report on the test images of the request's checkpoint."""
    from cifar_core.evaluation.predictions import (
        eval_split,
        has_predictions,
        predictions_path,
        read_predictions,
    )
    from cifar_core.report.html import FILE, report_html, worst_cards
    from cifar_core.system.files import write_atomic

    worker.update(phase="running", started=time.time())
    subject = subject_of(worker, request)
    run, config, checkpoint, data = subject
    path = predictions_path(run.path, checkpoint.name, "test")
    if not has_predictions(path) and not evaluate_split(worker, subject, "test"):
        return RunState.STOPPED
    table = read_predictions(path, eval_split(data, config, "test"), checkpoint)
    if not record_progress(worker, [Progress("Looking at the errors", 0, 2, "parts")]):
        return RunState.STOPPED
    cards, maps = worst_cards(table)
    if not record_progress(worker, [Progress("Writing", 1, 2, "parts")]):
        return RunState.STOPPED
    page = report_html(run, table, cards, maps)
    write_atomic(worker.run_dir / FILE, page.encode())
    record_progress(worker, [Progress("Written", 2, 2, "parts")])
    return RunState.COMPLETED
