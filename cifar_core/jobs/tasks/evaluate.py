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
    from cifar_core.evaluation.files import PredictionsNote
    from cifar_core.evaluation.predictions import eval_split
    from cifar_core.evaluation.predictor import evaluate
    from cifar_core.runs.store import derived_dir

    run, config, checkpoint, data = subject
    examples = eval_split(data, config, split)
    note = PredictionsNote.of(run.run_id, checkpoint, split, flip)
    return record_progress(job, evaluate(derived_dir(run), note, checkpoint, config, examples))
