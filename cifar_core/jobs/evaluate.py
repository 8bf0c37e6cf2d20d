"""Evaluation: the table of one checkpoint on one split. It waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.shared import Subject, report, subject_of
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def evaluate_checkpoint(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Fills the table of the request's run, checkpoint and split."""
    worker.update(phase="running", started=time.time())
    subject = subject_of(worker, request)
    done = make_table(worker, subject, request["split"], request.get("flip", False))
    return RunState.COMPLETED if done else RunState.STOPPED


def make_table(worker: "Worker", subject: Subject, split: str, flip: bool = False) -> bool:
    """Evaluates a split and keeps its features and its table; False if it was stopped."""
    import numpy as np

    from cifar_core.evaluation import fill_table
    from cifar_core.features import write_values
    from cifar_core.tables import examples_of, table_path, write_table

    run, config, checkpoint, data = subject
    examples = examples_of(data, config, split)
    log_probs = np.empty((len(examples.indices), len(data.classes)), np.float32)
    features: list[np.ndarray] = []
    if not report(worker, fill_table(checkpoint, config, examples, log_probs, features, flip)):
        return False
    facts = {"run": run.run_id, "data": data.title, "split": split, "flip": flip}
    facts |= checkpoint.facts
    write_values(run.path, checkpoint, examples, "features", np.concatenate(features))
    write_table(table_path(run.path, checkpoint.name, split, flip), log_probs, facts)
    return True
