"""Evaluation: the table of one checkpoint on one split. It waits for no device."""

from typing import TYPE_CHECKING

from cifar_core.jobs.tasks.shared import Subject, record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.evaluation.files import SplitName
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest


def evaluate_checkpoint(job: "JobContext", request: "AnalysisRequest") -> RunState:
    """Fills the table of the request's run, checkpoint and split."""
    job.start()
    subject = subject_of(job, request)
    done = evaluate_split(job, subject, request.split or "test", request.flip)
    return RunState.COMPLETED if done else RunState.STOPPED


def evaluate_split(
    job: "JobContext", subject: Subject, split: "SplitName", flip: bool = False
) -> bool:
    """Evaluates a split and keeps its features and its table; False if it was stopped."""
    import numpy as np

    from cifar_core.evaluation.features import write_values
    from cifar_core.evaluation.files import PredictionsNote
    from cifar_core.evaluation.predictions import (
        eval_split,
        predictions_path,
        write_predictions,
    )
    from cifar_core.evaluation.predictor import predict_split
    from cifar_core.runs.store import derived_dir

    run, config, checkpoint, data = subject
    examples = eval_split(data, config, split)
    log_probs = np.empty((len(examples.indices), len(data.classes)), np.float32)
    features: list[np.ndarray] = []
    if not record_progress(
        job, predict_split(checkpoint, config, examples, log_probs, features, flip)
    ):
        return False
    note = PredictionsNote.of(run.run_id, checkpoint, split, flip)
    folder = derived_dir(run)
    write_values(folder, checkpoint, examples, "features", np.concatenate(features))
    write_predictions(predictions_path(folder, checkpoint.name, split, flip), log_probs, note)
    return True
