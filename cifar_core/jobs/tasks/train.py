"""Training: set up, run the epochs, keep the checkpoints."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_core.errors import CheckpointError
from cifar_core.jobs.events import open_events, write_errors, write_events
from cifar_core.jobs.queue import acquire_device
from cifar_core.jobs.tasks.shared import requested_data
from cifar_core.records.records import EpochRecord, ResumeRecord, StepRecord
from cifar_core.runs.states import RunState
from cifar_core.system.memory import peak_memory

if TYPE_CHECKING:
    from cifar_core.checkpoints.checkpoint import Checkpoint
    from cifar_core.checkpoints.manifest import Role
    from cifar_core.config.train import TrainConfig
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.files import Status
    from cifar_core.runs.requests import TrainRequest
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState


def train_model(job: "JobContext", request: "TrainRequest") -> RunState:
    """Trains with the settings of the request once the device is free."""
    with acquire_device(job.run_dir, request.device, job.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        job.start("starting")
        earlier = job.status
        config, batches, state = _set_up(job, request)
        if job.is_resuming:
            _resume(job, request, config, batches, state, earlier)
        job.update(phase="running")
        return _run_epochs(job, config, batches, state)


def _set_up(
    job: "JobContext", request: "TrainRequest"
) -> "tuple[TrainConfig, TrainingBatches, TrainState]":
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

    config = request.config
    runtime = choose_runtime(request.device, config.precision, config.memory_format)
    data = requested_data(request)
    batches = TrainingBatches(config, data, runtime)
    state = TrainState(config, batches, runtime)
    job.update(
        runtime=runtime,
        versions=_versions(),
        data_title=data.title,
        fingerprint=data.fingerprint,
        steps_per_epoch=batches.steps_per_epoch,
    )
    return config, batches, state


def _resume(
    job: "JobContext",
    request: "TrainRequest",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    earlier: "Status",
) -> None:
    """Puts the state to where the newest whole checkpoint was written, if there is any."""
    from cifar_core.checkpoints.checkpoint import list_checkpoints

    loaded = _load_newest(job.run_dir, state)
    note = _reproducibility_note(earlier, job.status)
    if request.extends and not earlier.versions:
        note = f"Extended from run {request.extends}."
    job.record(ResumeRecord(state.epoch + 1, state.step, note))
    best = list_checkpoints(job.run_dir, "best")
    job.update(best=best[-1].manifest.figures if best else None)
    figures = loaded.manifest.figures if loaded else None
    if figures and figures.step == state.step:  # killed before the best or the status knew of it
        _keep_epoch(job, config, batches, state, figures)


def _load_newest(run_dir: Path, state: "TrainState") -> "Checkpoint | None":
    """`load_state` of the newest checkpoint that is whole; None if the run has none yet.

    Raises:
        CheckpointError: if there are some, but none of them will do.
    """
    from cifar_core.checkpoints.checkpoint import list_checkpoints
    from cifar_core.training.checkpointing import load_state

    refused = None
    for checkpoint in reversed(list_checkpoints(run_dir, "last")):
        try:
            load_state(checkpoint, state)
            return checkpoint
        except CheckpointError as error:
            refused = refused or error
    if refused:
        raise refused
    return None


def _reproducibility_note(before: "Status", now: "Status") -> str:
    """Why a resumed run may differ from an uninterrupted one; empty if it may not."""
    assert now.runtime is not None
    names = ("device", "precision", "memory_format")
    pairs = [
        (name, getattr(before.runtime, name, None), getattr(now.runtime, name)) for name in names
    ]
    pairs += [(name, before.versions.get(name), now.versions.get(name)) for name in _versions()]
    for name, then, current in pairs:
        if then is not None and then != current:
            return (
                f"Resumed with {name} {current} instead of {then}; results may differ from "
                "an uninterrupted run."
            )
    if now.runtime.device != "cpu":
        return "On a GPU, results may differ slightly from an uninterrupted run."
    return ""


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    import torch

    names = ("torch", "torchvision", "albumentations", "numpy")
    libraries = {name: version(name) for name in names}
    return {
        "python": platform.python_version(),
        "threads": str(torch.get_num_threads()),
        **libraries,
    }


def _run_epochs(
    job: "JobContext", config: "TrainConfig", batches: "TrainingBatches", state: "TrainState"
) -> RunState:
    from cifar_core.training.engine import train

    with contextlib.ExitStack() as stack:
        events = open_events(job, config, state, stack)
        for record in train(config, batches.data, state, batches):
            if isinstance(record, StepRecord | EpochRecord):
                record = replace(record, elapsed_s=job.elapsed_s or 0.0)
                job.record(record)
                write_events(events, record, config, batches, state)
            if isinstance(record, EpochRecord):
                _save_epoch_predictions(job, batches, state)
                _save_checkpoints(job, config, batches, state, record)
            if job.should_stop() and state.epoch < config.epochs:
                if not isinstance(record, EpochRecord):
                    _save_checkpoint(job, config, batches, state, "last")
                return RunState.STOPPED
        write_errors(events, job, state.step)
    return RunState.COMPLETED


def _save_epoch_predictions(
    job: "JobContext", batches: "TrainingBatches", state: "TrainState"
) -> None:
    """Keeps what the epoch said of the test images, before any checkpoint speaks of the epoch."""
    from cifar_core.evaluation.history import write_epoch_predictions

    assert state.test_log_probs is not None
    fingerprint = batches.data.fingerprint
    write_epoch_predictions(job.run_dir, state.epoch, state.test_log_probs, fingerprint)


def _save_checkpoints(
    job: "JobContext",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    record: EpochRecord,
) -> None:
    """Keeps what to resume from, and then the epoch."""
    _save_checkpoint(job, config, batches, state, "last", record)
    _keep_epoch(job, config, batches, state, record)


def _keep_epoch(
    job: "JobContext",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    record: EpochRecord,
) -> None:
    """Keeps the epoch, and the best one so far; only then does the status speak of it.

    What is there already is not written again: a kill meanwhile would leave neither.
    """
    from cifar_core.checkpoints.checkpoint import list_checkpoints

    kept = {checkpoint.step for checkpoint in list_checkpoints(job.run_dir, "epoch")}
    if record.epoch in config.checkpoint_epochs and state.step not in kept:
        _save_checkpoint(job, config, batches, state, "epoch", record)
    best = job.status.best
    if record.val_acc is not None and (best is None or record.val_acc > (best.val_acc or 0.0)):
        _save_checkpoint(job, config, batches, state, "best", record)
        best = record
    job.update(last=record, best=best, memory_bytes=peak_memory(batches.runtime.device))


def _save_checkpoint(
    job: "JobContext",
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    role: "Role",
    figures: EpochRecord | None = None,
) -> None:
    from cifar_core.training.checkpointing import save_checkpoint

    save_checkpoint(
        job.run_dir, role, state, config.model, batches.data, figures, config.normalization
    )
