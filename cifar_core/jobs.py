"""What each kind of job does; torch is imported only once it is its turn."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.errors import DataError, RunError
from cifar_core.launch import turn_on_device
from cifar_core.records import EpochRecord, Record, StageRecord
from cifar_core.runs import RunState

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from cifar_core.batches import TrainingBatches
    from cifar_core.config import TrainConfig
    from cifar_core.data.partial import Progress
    from cifar_core.engine import TrainState
    from cifar_core.worker import Worker


def _train(worker: "Worker", request: dict[str, Any]) -> RunState:
    with turn_on_device(worker.run_dir, request["device"], worker.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        worker.update(phase="starting", started=time.time())
        config, batches, state = _set_up(worker, request)
        return _run_epochs(worker, config, batches, state)


def _set_up(
    worker: "Worker", request: dict[str, Any]
) -> "tuple[TrainConfig, TrainingBatches, TrainState]":
    from cifar_core.batches import TrainingBatches
    from cifar_core.config import make_config
    from cifar_core.data import open_dataset
    from cifar_core.engine import TrainState
    from cifar_core.runtime import choose_runtime

    config = make_config(request["config"])
    runtime = choose_runtime(request["device"], config.precision, config.memory_format)
    data = open_dataset(config.data)
    if request.get("fingerprint", data.fingerprint) != data.fingerprint:
        raise RunError(f"{data.title} is not the data this run was started with. Start a new run.")
    batches = TrainingBatches(config, data, runtime)
    state = TrainState(config, batches, runtime)
    worker.update(
        phase="running",
        runtime=asdict(runtime),
        data_title=data.title,
        fingerprint=data.fingerprint,
        steps_per_epoch=batches.steps_per_epoch,
        versions=_versions(),
    )
    return config, batches, state


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    names = ("torch", "torchvision", "albumentations", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _run_epochs(
    worker: "Worker", config: "TrainConfig", batches: "TrainingBatches", state: "TrainState"
) -> RunState:
    from cifar_core.engine import train

    with contextlib.ExitStack() as stack:
        events = _event_writer(worker, config, stack)
        for record in train(config, batches.data, state, batches):
            if record.kind != "eval":
                worker.record(record)
                _write_events(events, record)
            if isinstance(record, EpochRecord):
                _keep(worker, config, batches, state, record)
            if worker.should_stop() and state.epoch < config.epochs:
                if not isinstance(record, EpochRecord):
                    _save(worker, config, batches, state, "last", {})
                return RunState.STOPPED
    return RunState.COMPLETED


def _keep(
    worker: "Worker",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    record: EpochRecord,
) -> None:
    """Keeps the epoch, and the best one so far; only then does the status speak of it."""
    figures = asdict(record)
    _save(worker, config, batches, state, "last", figures)
    best = worker.status.get("best")
    if record.val_acc is not None and (best is None or record.val_acc > best["val_acc"]):
        _save(worker, config, batches, state, "best", figures)
        best = figures
    worker.update(last=figures, best=best)


def _save(
    worker: "Worker",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    role: str,
    figures: dict[str, Any],
) -> None:
    from cifar_core.checkpoint import save_checkpoint

    data = batches.data
    facts = {
        "model": config.model,
        "data": data.title,
        "fingerprint": data.fingerprint,
        "classes": data.classes,
        "mean": data.mean.tolist(),
        "std": data.std.tolist(),
        "figures": figures,
    }
    save_checkpoint(worker.run_dir, role, state, facts)


def _event_writer(
    worker: "Worker", config: "TrainConfig", stack: contextlib.ExitStack
) -> "SummaryWriter | None":
    """A writer that is closed, and so flushed, with the stack."""
    if not config.tensorboard:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return stack.enter_context(SummaryWriter(str(worker.run_dir / "tensorboard")))


def _write_events(events: "SummaryWriter | None", record: Record) -> None:
    if events is None:
        return
    values = asdict(record)
    for name, value in values.items():
        if isinstance(value, float):
            events.add_scalar(f"{record.kind}/{name}", value, values["step"])
    if isinstance(record, EpochRecord):
        events.flush()


def _get_data(worker: "Worker", request: dict[str, Any]) -> RunState:
    from cifar_core.data.download import download_cifar10
    from cifar_core.data.store import prepare
    from cifar_core.places import cache_dir

    worker.update(phase="running", started=time.time())
    path = request["path"] or str(cache_dir() / "downloads")
    downloaded = request["origin"] != "folder"
    if downloaded and not _report(
        worker, download_cifar10(Path(path), request["origin"], request["mirror"])
    ):
        return RunState.STOPPED
    try:
        done = _report(worker, prepare(path, request["accept_altered"]))
    except DataError:
        if downloaded:  # whatever came was not CIFAR-10; kept, it would be in the way for ever
            shutil.rmtree(path, ignore_errors=True)
        raise
    return RunState.COMPLETED if done else RunState.STOPPED


def _report(worker: "Worker", progress: "Iterator[Progress]") -> bool:
    """Records how far something is, a few times a second; False if it was stopped."""
    shown_at = 0.0
    for at in progress:
        if worker.should_stop():
            return False
        if time.monotonic() - shown_at > 0.3 or at.done == at.total:
            worker.record(StageRecord(**asdict(at)))
            shown_at = time.monotonic()
    return True


def _evaluate(worker: "Worker", request: dict[str, Any]) -> RunState:
    """A table of one checkpoint on one split; it waits for no device."""
    import numpy as np

    from cifar_core.checkpoint import find_checkpoint
    from cifar_core.data import open_dataset
    from cifar_core.evaluation import checkpoint_log_probabilities
    from cifar_core.runs import find_run
    from cifar_core.tables import examples_of, table_path, write_table

    worker.update(phase="running", started=time.time())
    run, split = find_run(worker.run_dir.parent, request["run"]), request["split"]
    assert run.config is not None
    checkpoint = find_checkpoint(run.path, request["checkpoint"])
    data = open_dataset(run.config.data)
    if data.fingerprint != checkpoint.manifest["fingerprint"]:
        raise RunError(f"{data.title} is not the data that {run.name} was trained on.")
    examples = examples_of(data, run.config, split)
    parts, done, total = [], 0, len(examples.indices)
    for part in checkpoint_log_probabilities(checkpoint, run.config, examples):
        parts.append(part)
        done += len(part)
        worker.record(StageRecord(f"Evaluating {split}", done, total, "images"))
        if worker.should_stop() and done < total:
            return RunState.STOPPED
    facts = {"run": run.run_id, "split": split, "data": data.title, **checkpoint.facts}
    write_table(table_path(run.path, checkpoint.name, split), np.concatenate(parts), facts)
    return RunState.COMPLETED


JOBS: dict[str, Callable[["Worker", dict[str, Any]], RunState]] = {
    "train": _train,
    "data": _get_data,
    "evaluate": _evaluate,
}
