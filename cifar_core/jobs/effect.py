"""The effect of an augmentation on a checkpoint. Like evaluation it waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.shared import report, trained_on
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def try_augmentation(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Tries the request's spec on the request's run and checkpoint."""
    from cifar_core.augment import AugmentSpec
    from cifar_core.checkpoint import find_checkpoint
    from cifar_core.effect import measure_effect
    from cifar_core.runs import find_run

    worker.update(phase="running", started=time.time())
    run = find_run(worker.run_dir.parent, request["run"], "train")
    assert run.config is not None
    checkpoint = find_checkpoint(run.path, request["checkpoint"])
    data, spec = trained_on(run, checkpoint), AugmentSpec.model_validate(request["augment"])
    progress = measure_effect(checkpoint, run.config, data, spec, worker.run_dir)
    return RunState.COMPLETED if report(worker, progress) else RunState.STOPPED
