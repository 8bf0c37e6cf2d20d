"""The effect of an augmentation on a checkpoint. Like evaluation it waits for no device."""

from typing import TYPE_CHECKING

from cifar_core.errors import RunError
from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest


def try_augmentation(job: "JobContext", request: "AnalysisRequest") -> RunState:
    """Tries the request's spec on the request's run and checkpoint."""
    from cifar_core.evaluation.augmentation_effect import measure_effect

    job.start()
    _, config, checkpoint, data = subject_of(job, request)
    if request.augment is None:
        raise RunError("The request of this job names no augmentation. Start it again.")
    progress = measure_effect(checkpoint, config, data, request.augment, job.run_dir)
    return RunState.COMPLETED if record_progress(job, progress) else RunState.STOPPED
