"""The LR test: records its points as they come; how it ended stands in the status."""

import time
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.shared import requested_data
from cifar_core.records import LRPoint
from cifar_core.states import RunState
from cifar_core.turns import turn_on_device

if TYPE_CHECKING:
    from cifar_core.worker import Worker


def find_lr(worker: "Worker", request: dict[str, Any]) -> RunState:
    """Tests learning rates for the settings of the request once the device is free."""
    with turn_on_device(worker.run_dir, request["device"], worker.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        worker.update(phase="starting", started=time.time())
        return _test(worker, request)


def _test(worker: "Worker", request: dict[str, Any]) -> RunState:
    from cifar_core.config import make_config
    from cifar_core.fields import validated
    from cifar_core.lr_finder import LRFindConfig, range_test
    from cifar_core.runtime import choose_runtime

    config = make_config({**request["config"], "device": request["device"]})
    find = validated(LRFindConfig, request["find"])
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


def _keep(worker: "Worker", repeat: int, point: LRPoint) -> None:
    worker.record(replace(point, repeat=repeat))
