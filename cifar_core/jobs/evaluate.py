"""Evaluation: the table of one checkpoint on one split. It waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.shared import report, subject_of
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def evaluate_checkpoint(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Fills the table of the request's run, checkpoint and split."""
    import numpy as np

    from cifar_core.evaluation import fill_table
    from cifar_core.tables import examples_of, table_path, write_table

    worker.update(phase="running", started=time.time())
    run, config, checkpoint, data = subject_of(worker, request)
    examples = examples_of(data, config, request["split"])
    log_probs = np.empty((len(examples.indices), len(data.classes)), np.float32)
    if not report(worker, fill_table(checkpoint, config, examples, log_probs)):
        return RunState.STOPPED
    facts = {"run": run.run_id, "data": data.title, "split": request["split"], **checkpoint.facts}
    write_table(table_path(run.path, checkpoint.name, request["split"]), log_probs, facts)
    return RunState.COMPLETED
