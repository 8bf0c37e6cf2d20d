"""The effect of an augmentation on a checkpoint. Like evaluation it waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext


def try_augmentation(worker: "JobContext", request: dict[str, Any]) -> RunState:
    """Tries the request's spec on the request's run and checkpoint."""
    from cifar_core.augment import AugmentSpec
    from cifar_core.evaluation.augmentation_effect import measure_effect

    worker.update(phase="running", started=time.time())
    _, config, checkpoint, data = subject_of(worker, request)
    spec = AugmentSpec.model_validate(request["augment"])
    progress = measure_effect(checkpoint, config, data, spec, worker.run_dir)
    return RunState.COMPLETED if record_progress(worker, progress) else RunState.STOPPED
