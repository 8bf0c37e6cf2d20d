"""The report of a run; evaluates first where that is missing. It waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.data.partial import Progress
from cifar_core.jobs.evaluate import make_table
from cifar_core.jobs.shared import report, subject_of
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def write_report(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Writes the report on the test images of the request's checkpoint."""
    from cifar_core.files import write_atomic
    from cifar_core.report import FILE, report_html, worst_cards
    from cifar_core.tables import examples_of, has_table, read_table, table_path

    worker.update(phase="running", started=time.time())
    subject = subject_of(worker, request)
    run, config, checkpoint, data = subject
    path = table_path(run.path, checkpoint.name, "test")
    if not has_table(path) and not make_table(worker, subject, "test"):
        return RunState.STOPPED
    table = read_table(path, examples_of(data, config, "test"), checkpoint)
    if not report(worker, [Progress("Looking at the errors", 0, 2, "parts")]):
        return RunState.STOPPED
    cards, maps = worst_cards(table)
    if not report(worker, [Progress("Writing", 1, 2, "parts")]):
        return RunState.STOPPED
    page = report_html(run, table, cards, maps)
    write_atomic(worker.run_dir / FILE, page.encode())
    report(worker, [Progress("Written", 2, 2, "parts")])
    return RunState.COMPLETED
