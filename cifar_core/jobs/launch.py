"""Starts jobs as processes of their own, each once."""

import contextlib
import os
import time
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import ConfigError, RunError
from cifar_core.forecast.forecast import forecast
from cifar_core.jobs.launch_checks import check_config, check_disk
from cifar_core.jobs.starting_weights import num_seen
from cifar_core.records import layout
from cifar_core.runs.dedup import find_draft
from cifar_core.runs.files import Start, read_start
from cifar_core.runs.lifecycle import check_own, check_there, create_run
from cifar_core.runs.requests import (
    DataRequest,
    Expected,
    LROrigin,
    LRSource,
    LRTestRequest,
    Origin,
    TrainRequest,
)
from cifar_core.runs.states import RunState
from cifar_core.runs.store import (
    DataJob,
    LRTestRun,
    TrainingRun,
    find_run,
    list_runs,
    read_run,
)
from cifar_core.system.json_files import write_typed
from cifar_core.system.locks import device_lock, exclusive
from cifar_core.system.paths import user_path
from cifar_core.system.process_identity import identity_of
from cifar_core.system.processes import spawn

if TYPE_CHECKING:
    from cifar_core.config.lr_test import LRTestConfig


def launch_training(
    root: Path,
    config: TrainConfig,
    name: str = "",
    notes: str = "",
    draft: str = "",
    lr_from: LROrigin | None = None,
) -> Path:
    """Checks what can be checked at once, claims a folder, starts the worker.

    Args:
        draft: Names one intention: whoever comes with the same one again, in whatever process,
            gets the run that was started for it.
        lr_from: The LR test whose facts the run is to keep.

    Returns:
        The run's folder.

    Raises:
        CifarCoreError: if name, space, data or hardware will not do, or if the draft was started
            with other settings; nothing is left behind then.
    """
    config, details = check_config(root, config)
    with exclusive(root, "launch"):
        if earlier := find_draft(root, draft):
            if earlier.config != config:
                raise RunError(
                    f"This form was already started as {earlier.name}, with different settings. "
                    "Press Start again to train with these too."
                )
            return earlier.path
        check_disk(root, config)
        request = partial(
            TrainRequest,
            config=config,
            draft=draft,
            forecast=_expected(config),
            lr_from=_lr_source(root, lr_from) if lr_from else None,
            val_seen=num_seen(config),
            **details,
        )
        run_dir = create_run(root, request, name, notes, config.model)
        start_worker(run_dir)
    return run_dir


def _expected(config: TrainConfig) -> Expected | None:
    """The forecast that the run is compared with once it has ended."""
    values = forecast(config)
    if values is None:
        return None
    return Expected(**{one.name: getattr(values, one.name) for one in fields(Expected)})


def _lr_source(root: Path, origin: LROrigin) -> LRSource:
    """What a learning rate was found with, to be known even if the test is deleted."""
    source = LRSource(origin.test, origin.rule, origin.lr)
    with contextlib.suppress(RunError):
        test = find_run(root, origin.test, LRTestRun)
        runtime = test.status.runtime
        source = replace(
            source,
            model=test.config.model,
            optimizer=test.config.optimizer,
            batch_size=test.config.batch_size,
            precision=runtime.precision if runtime else "",
            augment=test.config.augment.digest[:12],
        )
    return source


def resume_run(run: TrainingRun) -> None:
    """Lets a training that ended too early go on from its last checkpoint, else from its start.

    Does nothing if somebody else was quicker.

    Raises:
        RunError: if there is nothing to go on with, or no space.
    """
    check_own(run, "resumed")
    with exclusive(run.path.parent, "launch"):
        check_there(run)
        now = read_run(run.path)
        if run.state.can_resume and now.state.is_active:
            return
        if not isinstance(now, TrainingRun) or not now.state.can_resume:
            raise RunError(
                f"{now.name} is {now.state}. Only a stopped, failed or interrupted run can be "
                "resumed."
            )
        device_lock(now.request.device)
        check_disk(now.path.parent, now.config, now)
        (now.path / layout.STOP).unlink(missing_ok=True)
        start_worker(now.path)


def extend_run(run: TrainingRun, epochs: int, name: str = "") -> Path:
    """Lets a completed training go on for more epochs as a new run; the old one stays as it is.

    The new one begins with the old one's checkpoints and records; from there on its learning rate
    follows the schedule of the longer run. Asked again, it returns the run that was started.

    Raises:
        CifarCoreError: if it has not completed, has no checkpoint, or is not made longer.
    """
    if run.state is not RunState.COMPLETED:
        raise RunError(f"{run.name} is {run.state}. Only a completed training can be extended.")
    if run.is_shipped:
        raise RunError(
            f"{run.name} came with the app, without the state of its optimizer, and cannot go on. "
            "Fine-tune from it, or duplicate it with more epochs."
        )
    if epochs <= run.config.epochs:
        raise ConfigError(
            f"epochs = {epochs} is not accepted: {run.name} already has {run.config.epochs}. "
            "Give more."
        )
    find_checkpoint(run.path, "last")
    root, longer = run.path.parent, {**run.config.model_dump(mode="json"), "epochs": epochs}
    config, details = check_config(root, make_config(longer))
    details["fingerprint"] = run.status.fingerprint  # refused later if the data changed
    draft = f"{run.run_id} to {epochs}"
    with exclusive(root, "launch"):
        if earlier := find_draft(root, draft):
            return earlier.path
        check_disk(root, config)
        seen, extends = num_seen(config), run.run_id
        request = partial(
            TrainRequest, config=config, draft=draft, extends=extends, val_seen=seen, **details
        )
        run_dir = create_run(root, request, name, stem=run.name, after=run.path)
        start_worker(run_dir)
    return run_dir


def launch_lr_find(root: Path, config: TrainConfig, find: "LRTestConfig", draft: str = "") -> Path:
    """Starts a job that tests learning rates for a config; see `launch_training`.

    Raises:
        CifarCoreError: if data or hardware will not do; nothing is left behind then.
    """
    # Compiling would not pay.
    config, details = check_config(root, config.model_copy(update={"compile": False}))
    request = partial(LRTestRequest, config=config, find=find, draft=draft, **details)
    with exclusive(root, "launch"):
        if earlier := find_draft(root, draft):
            return earlier.path
        run_dir = create_run(root, request)
        start_worker(run_dir)
    return run_dir


def launch_data(root: Path, origin: Origin, path: str = "", allow_modified: bool = False) -> Path:
    """Starts a job that downloads ("archive", "hub") or reads ("folder") CIFAR-10, if none does.

    CIFAR_MIRROR, if set, is the address that has the files instead of the official ones.
    """
    mirror = os.environ.get("CIFAR_MIRROR")
    path = str(user_path(path)) if path else ""
    request = partial(
        DataRequest, origin=origin, path=path, allow_modified=allow_modified, mirror=mirror
    )
    with exclusive(root, "launch"):
        for job in list_runs(root, DataJob):
            same = request(run_id=job.run_id, created=job.created) == job.request
            if job.state.is_active and same:
                return job.path
        run_dir = create_run(root, request)
        start_worker(run_dir)
    return run_dir


def start_worker(run_dir: Path) -> None:
    """Starts the process that does the job, and notes when and which it is."""
    earlier = read_start(run_dir)
    start = Start(time.time(), attempt=earlier.attempt + 1 if earlier else 1)
    write_typed(run_dir / layout.START, start)
    process = spawn("cifar_core.jobs.worker", str(run_dir), log=run_dir / layout.LOG)
    write_typed(run_dir / layout.START, replace(start, worker=identity_of(process.pid)))
