"""The ranking of layers and methods by ROAD. Like evaluation it waits for no device."""

from typing import TYPE_CHECKING

from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest


def rank_layers(job: "JobContext", request: "AnalysisRequest") -> RunState:
    """Ranks the layers of the request's checkpoint on test images."""
    from cifar_core.checkpoints.checkpoint import load_model
    from cifar_core.evaluation.predictions import eval_split
    from cifar_core.explain.road import rank_by_road

    job.start()
    _, config, checkpoint, data = subject_of(job, request)
    examples = eval_split(data, config, "test")
    progress = rank_by_road(load_model(checkpoint), checkpoint, examples, job.run_dir)
    return RunState.COMPLETED if record_progress(job, progress) else RunState.STOPPED
