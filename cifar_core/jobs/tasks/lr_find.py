"""The LR test: records its points as they come; how it ended stands in the status."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cifar_core.jobs.queue import acquire_device
from cifar_core.jobs.tasks.shared import requested_data
from cifar_core.records.records import LRPoint
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import LRTestRequest


def find_lr(job: "JobContext", request: "LRTestRequest") -> RunState:
    """Tests learning rates for the settings of the request once the device is free."""
    with acquire_device(job.run_dir, request.device, job.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        job.start("starting")
        return _test(job, request)


def _test(job: "JobContext", request: "LRTestRequest") -> RunState:
    from cifar_core.lr_finder.range_test import range_test
    from cifar_core.system.runtime import choose_runtime

    config = request.config.model_copy(update={"device": request.device})
    find = request.find
    data = requested_data(request)
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    job.update(
        phase="running",
        runtime=runtime,
        data_title=data.title,
        fingerprint=data.fingerprint,
    )
    ending = "stopped"
    for repeat in range(find.num_seeds):
        another = config.model_copy(update={"seed": config.seed + repeat})
        keep = partial(_keep, job, repeat)
        ending = range_test(another, find, data, keep, job.should_stop)
        if ending == "stopped":
            break
    job.update(ending=ending)
    return RunState.STOPPED if ending == "stopped" else RunState.COMPLETED


def _keep(job: "JobContext", repeat: int, point: LRPoint) -> None:
    job.record(replace(point, repeat=repeat))
