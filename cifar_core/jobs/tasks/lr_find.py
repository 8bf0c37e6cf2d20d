"""The LR test: records its points as they come; how it ended stands in the status."""

import time
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.queue import acquire_device
from cifar_core.jobs.tasks.shared import requested_data
from cifar_core.records.records import LRPoint
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext


def find_lr(worker: "JobContext", request: dict[str, Any]) -> RunState:
    """Tests learning rates for the settings of the request once the device is free."""
    with acquire_device(worker.run_dir, request["device"], worker.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        worker.update(phase="starting", started=time.time())
        return _test(worker, request)


def _test(worker: "JobContext", request: dict[str, Any]) -> RunState:
    from cifar_core.config.lr_test import LRTestConfig
    from cifar_core.config.train import make_config
    from cifar_core.lr_finder.range_test import range_test
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.validation import validated

    config = make_config({**request["config"], "device": request["device"]})
    find = validated(LRTestConfig, request["find"])
    data = requested_data(config, request)
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    worker.update(
        phase="running",
        runtime=asdict(runtime),
        data_title=data.title,
        fingerprint=data.fingerprint,
    )
    ending = "stopped"
    for repeat in range(find.num_seeds):
        another = config.model_copy(update={"seed": config.seed + repeat})
        keep = partial(_keep, worker, repeat)
        ending = range_test(another, find, data, keep, worker.should_stop)
        if ending == "stopped":
            break
    worker.update(ending=ending)
    return RunState.STOPPED if ending == "stopped" else RunState.COMPLETED


def _keep(worker: "JobContext", repeat: int, point: LRPoint) -> None:
    worker.record(replace(point, repeat=repeat))
