"""Starts jobs as processes of their own and waits for their turn on a device.

A queued job is a live worker that has not imported torch yet; nobody dispatches.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from cifar_core.changes import create_run, delete_run
from cifar_core.checkpoint import find_checkpoint
from cifar_core.config import TrainConfig
from cifar_core.data.dataset import split_indices
from cifar_core.data.locate import NAMED
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.errors import ConfigError, RunError
from cifar_core.files import write_json
from cifar_core.places import cache_dir
from cifar_core.processes import spawn
from cifar_core.runs import Run, RunState, list_runs, read_run
from cifar_core.runtime import decide, probe
from cifar_core.tables import examples_of

if TYPE_CHECKING:
    from cifar_core.lr_finder import LRFindConfig


def launch_training(root: Path, config: TrainConfig, name: str = "", notes: str = "") -> Path:
    """Checks what can be checked at once, claims a folder, starts the worker.

    Returns:
        The run's folder.

    Raises:
        CifarCoreError: if name, data or hardware will not do; nothing is left behind then.
    """
    config, values = _checked(config)
    run_dir = create_run(root, "train", values, name, notes, stem=config.model)
    start_worker(run_dir)
    return run_dir


def resume_run(run: Run) -> None:
    """Lets a training that ended too early go on from its last checkpoint, else from its start.

    Raises:
        RunError: if there is nothing to go on with.
    """
    if run.kind != "train" or not run.state.can_resume:
        raise RunError(
            f"{run.name} is {run.state}. Only a stopped, failed or interrupted run can go on."
        )
    device_lock(str(run.request["device"]))
    (run.path / "stop").unlink(missing_ok=True)
    write_json(run.path / "resume.json", {"asked": time.time()})
    start_worker(run.path)


def launch_lr_find(root: Path, config: TrainConfig, find: "LRFindConfig") -> Path:
    """Starts a job that tests learning rates for a config; see `launch_training`.

    Raises:
        CifarCoreError: if data or hardware will not do; nothing is left behind then.
    """
    _, values = _checked(config)
    run_dir = create_run(root, "lr_find", {**values, "find": find.model_dump(mode="json")})
    start_worker(run_dir)
    return run_dir


def _checked(config: TrainConfig) -> tuple[TrainConfig, dict[str, Any]]:
    """The config with an absolute folder of data, and what goes into the request.

    Raises:
        CifarCoreError: if data or hardware will not do.
    """
    device = decide(probe(), config.device, config.precision, config.memory_format).device
    device_lock(device)
    if config.data not in NAMED:  # the worker starts in another folder
        config = config.model_copy(update={"data": str(Path(config.data).expanduser().absolute())})
    values: dict[str, Any] = {"config": config.model_dump(mode="json"), "device": device}
    if is_ready(config.data):
        data = open_dataset(config.data)
        train, _ = split_indices(len(data.train), config.val_size, config.train_size, config.seed)
        if len(train) < config.batch_size:
            raise ConfigError(
                f"batch_size = {config.batch_size} is more than the {len(train):,} images to train "
                "on. Take a smaller one."
            )
        values |= {"data_title": data.title, "fingerprint": data.fingerprint}
    return config, values


def launch_data(root: Path, origin: str, path: str = "", accept_altered: bool = False) -> Path:
    """Starts a job that downloads ("archive", "hub") or reads ("folder") CIFAR-10.

    CIFAR_MIRROR, if set, is the address that has the files instead of the official ones.
    """
    mirror = os.environ.get("CIFAR_MIRROR")
    path = str(Path(path).expanduser().absolute()) if path else ""
    values = {"origin": origin, "path": path, "accept_altered": accept_altered, "mirror": mirror}
    run_dir = create_run(root, "data", values)
    start_worker(run_dir)
    return run_dir


def launch_evaluation(root: Path, run: Run, checkpoint: str, split: str) -> Path:
    """Starts a job that fills the table of a checkpoint on a split, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint or split.
    """
    assert run.config is not None
    found = find_checkpoint(run.path, checkpoint)
    examples_of(open_dataset(run.config.data), run.config, split)
    earlier = evaluations(root, run, found.name, split)
    if earlier and earlier[0].state.is_active:
        return earlier[0].path
    for job in earlier:  # what they found lies with the run
        delete_run(job)
    values = {"run": run.run_id, "checkpoint": found.name, "split": split}
    run_dir = create_run(root, "evaluate", values)
    start_worker(run_dir)
    return run_dir


def evaluations(root: Path, run: Run, checkpoint: str, split: str) -> list[Run]:
    """The jobs that filled, or are to fill, a table; newest first."""
    wanted = {"run": run.run_id, "checkpoint": checkpoint, "split": split}
    return [job for job in list_runs(root, "evaluate") if wanted.items() <= job.request.items()]


def start_worker(run_dir: Path) -> None:
    """Starts the process that does the job."""
    spawn("cifar_core.worker", str(run_dir), log=run_dir / "worker.log")


def queue_position(run_dir: Path) -> int:
    """How many jobs of the same device and folder are before this one; 0: it is next."""
    mine = read_run(run_dir)
    ahead = [
        run
        for run in list_runs(run_dir.parent, kind=None)
        if run.request.get("device") == mine.request.get("device")
        and (run.created, run.run_id) < (mine.created, mine.run_id)
        and run.state is RunState.QUEUED
    ]
    return len(ahead)


def device_lock(device: str) -> FileLock:
    """The lock that whoever computes on a device holds.

    Raises:
        RunError: if the cache cannot be written.
    """
    path = cache_dir() / "locks" / f"{device.replace(':', '-')}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"The cache {cache_dir()} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a folder that can."
        ) from None
    return FileLock(path)


@contextlib.contextmanager
def turn_on_device(
    run_dir: Path, device: str, should_stop: Callable[[], bool], wait_s: float = 0.5
) -> Iterator[bool]:
    """Waits until the device is free and no earlier job waits; holds it inside the block.

    Yields:
        Whether it was this job's turn; False if it was stopped while it waited.
    """
    lock = device_lock(device)
    while not should_stop():
        if queue_position(run_dir) == 0:
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                break
        time.sleep(wait_s)
    try:
        yield lock.is_locked
    finally:
        lock.release()
