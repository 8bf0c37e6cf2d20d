"""Evaluation: the table of one checkpoint on one split. It waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.tasks.shared import Subject, record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext


def evaluate_checkpoint(worker: "JobContext", request: dict[str, Any]) -> RunState:
    """Fills the table of the request's run, checkpoint and split."""
    worker.update(phase="running", started=time.time())
    subject = subject_of(worker, request)
    done = evaluate_split(worker, subject, request["split"], request.get("flip", False))
    return RunState.COMPLETED if done else RunState.STOPPED


def evaluate_split(worker: "JobContext", subject: Subject, split: str, flip: bool = False) -> bool:
    """Evaluates a split and keeps its features and its table; False if it was stopped."""
    import numpy as np

    from cifar_core.evaluation.features import write_values
    from cifar_core.evaluation.predictions import eval_split, predictions_path, write_predictions
    from cifar_core.evaluation.predictor import predict_split

    run, config, checkpoint, data = subject
    examples = eval_split(data, config, split)
    log_probs = np.empty((len(examples.indices), len(data.classes)), np.float32)
    features: list[np.ndarray] = []
    if not record_progress(
        worker, predict_split(checkpoint, config, examples, log_probs, features, flip)
    ):
        return False
    facts = {"run": run.run_id, "data": data.title, "split": split, "flip": flip}
    facts |= checkpoint.facts
    write_values(run.path, checkpoint, examples, "features", np.concatenate(features))
    write_predictions(predictions_path(run.path, checkpoint.name, split, flip), log_probs, facts)
    return True
