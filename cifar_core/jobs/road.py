"""The ranking of layers and methods by ROAD. Like evaluation it waits for no device."""

import time
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.shared import report, subject_of
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def rank_layers(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Ranks the layers of the request's checkpoint on test images."""
    from cifar_core.checkpoint import load_model
    from cifar_core.road import rank_by_road
    from cifar_core.tables import examples_of

    worker.update(phase="running", started=time.time())
    _, config, checkpoint, data = subject_of(worker, request)
    examples = examples_of(data, config, "test")
    progress = rank_by_road(load_model(checkpoint), checkpoint, examples, worker.run_dir)
    return RunState.COMPLETED if report(worker, progress) else RunState.STOPPED
