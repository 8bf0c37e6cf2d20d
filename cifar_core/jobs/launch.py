"""Starts jobs as processes of their own, each once."""

import contextlib
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, read_checkpoint, verified
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.data.dataset import split_indices
from cifar_core.data.locate import NAMED
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.errors import ConfigError, RunError
from cifar_core.forecast.disk_space import check_space
from cifar_core.forecast.forecast import forecast
from cifar_core.runs.dedup import find_draft
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, disk_bytes, find_run, list_runs, read_run
from cifar_core.system.files import write_json
from cifar_core.system.locks import device_lock, exclusive
from cifar_core.system.process_identity import identity_of
from cifar_core.system.processes import spawn
from cifar_core.system.runtime import check_compiler, probe, resolve_runtime

if TYPE_CHECKING:
    from cifar_core.config.lr_test import LRTestConfig


@dataclass(frozen=True)
class LROrigin:
    """Where a learning rate is from.

    Attributes:
        test: The id of the LR test.
        rule: Which rule read it off the curve, or that somebody did.
    """

    test: str
    rule: str
    lr: float


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
    config, values = _checked(root, config)
    with exclusive(root, "launch"):
        if earlier := find_draft(root, draft):
            if earlier.request["config"] != values["config"]:
                raise RunError(
                    f"This form was started before, as {earlier.name}, with other settings. "
                    "Press Start again to train with these as well."
                )
            return earlier.path
        check_space(root, config)
        values |= {"draft": draft, "forecast": (found := forecast(config)) and asdict(found)}
        if lr_from:
            values["lr_from"] = _provenance(root, lr_from)
        run_dir = create_run(root, "train", values, name, notes, config.model)
        start_worker(run_dir)
    return run_dir


def _provenance(root: Path, origin: LROrigin) -> dict[str, Any]:
    """What a learning rate was found with, to be kept even if the test is deleted."""
    facts = asdict(origin)
    with contextlib.suppress(RunError):
        test = find_run(root, origin.test, "lr_find")
        if tested := test.config:
            facts |= {name: getattr(tested, name) for name in ("model", "optimizer", "batch_size")}
            facts["precision"] = (test.status.get("runtime") or {}).get("precision")
            facts["augment"] = tested.augment.digest[:12]
    return facts


def resume_run(run: Run) -> None:
    """Lets a training that ended too early go on from its last checkpoint, else from its start.

    Does nothing if somebody else was quicker.

    Raises:
        RunError: if there is nothing to go on with, or no space.
    """
    with exclusive(run.path.parent, "launch"):
        now = read_run(run.path)
        if run.state.can_resume and now.state.is_active:
            return
        if now.kind != "train" or now.config is None or not now.state.can_resume:
            raise RunError(
                f"{now.name} is {now.state}. Only a stopped, failed or interrupted run can go on."
            )
        device_lock(str(now.request["device"]))
        check_space(now.path.parent, now.config, written=disk_bytes(now))
        (now.path / "stop").unlink(missing_ok=True)
        start_worker(now.path)


def extend_run(run: Run, epochs: int, name: str = "") -> Path:
    """Lets a completed training go on for more epochs as a new run; the old one stays as it is.

    The new one begins with the old one's checkpoints and records; from there on its learning rate
    follows the schedule of the longer run. Asked again, it returns the run that was started.

    Raises:
        CifarCoreError: if it has not completed, has no checkpoint, or is not made longer.
    """
    if run.config is None or run.kind != "train" or run.state is not RunState.COMPLETED:
        raise RunError(f"{run.name} is {run.state}. Only a completed training can be extended.")
    if epochs <= run.config.epochs:
        raise ConfigError(
            f"epochs = {epochs} is not accepted: {run.name} has had {run.config.epochs}. Give more."
        )
    find_checkpoint(run.path, "last")
    root, longer = run.path.parent, {**run.config.model_dump(mode="json"), "epochs": epochs}
    config, values = _checked(root, make_config(longer))
    values |= {"extends": run.run_id, "draft": f"{run.run_id} to {epochs}"}
    values["fingerprint"] = run.status["fingerprint"]  # refused later if the data changed
    with exclusive(root, "launch"):
        if earlier := find_draft(root, values["draft"]):
            return earlier.path
        check_space(root, config)
        run_dir = create_run(root, "train", values, name, stem=run.name, after=run.path)
        start_worker(run_dir)
    return run_dir


def launch_lr_find(root: Path, config: TrainConfig, find: "LRTestConfig", draft: str = "") -> Path:
    """Starts a job that tests learning rates for a config; see `launch_training`.

    Raises:
        CifarCoreError: if data or hardware will not do; nothing is left behind then.
    """
    _, values = _checked(root, config.model_copy(update={"compile": False}))  # it would not pay
    values |= {"find": find.model_dump(mode="json"), "draft": draft}
    with exclusive(root, "launch"):
        if earlier := find_draft(root, draft):
            return earlier.path
        run_dir = create_run(root, "lr_find", values)
        start_worker(run_dir)
    return run_dir


def _checked(root: Path, config: TrainConfig) -> tuple[TrainConfig, dict[str, Any]]:
    """The config with absolute folders, since workers start elsewhere, and the request's content.

    Raises:
        CifarCoreError: if data, starting weights or hardware will not do.
    """
    device = resolve_runtime(probe(), config.device, config.precision, config.memory_format).device
    device_lock(device)
    if config.compile:
        check_compiler(device)
    if config.data not in NAMED:
        config = config.model_copy(update={"data": str(Path(config.data).expanduser().absolute())})
    if config.weights:
        weights = str(_starting_weights(root, config).path.absolute())
        config = config.model_copy(update={"weights": weights})
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


def _starting_weights(root: Path, config: TrainConfig) -> Checkpoint:
    """The checkpoint that `config.weights` names.

    Raises:
        CifarCoreError: if there is none, or it is damaged or of another model.
    """
    folder = Path(config.weights).expanduser()
    if (folder / "manifest.json").is_file():
        found = read_checkpoint(folder)
    else:
        found = find_checkpoint(find_run(root, config.weights, "train").path, "best")
    if found.manifest["model"] != config.model:
        raise ConfigError(
            f"weights = {config.weights!r} are those of a {found.manifest['model']}, not of a "
            f"{config.model}. Take weights of the same model."
        )
    verified(found, "weights.safetensors")
    return found


def launch_data(root: Path, origin: str, path: str = "", accept_altered: bool = False) -> Path:
    """Starts a job that downloads ("archive", "hub") or reads ("folder") CIFAR-10, if none does.

    CIFAR_MIRROR, if set, is the address that has the files instead of the official ones.
    """
    mirror = os.environ.get("CIFAR_MIRROR")
    path = str(Path(path).expanduser().absolute()) if path else ""
    values = {"origin": origin, "path": path, "accept_altered": accept_altered, "mirror": mirror}
    with exclusive(root, "launch"):
        for job in list_runs(root, "data"):
            if job.state.is_active and values.items() <= job.request.items():
                return job.path
        run_dir = create_run(root, "data", values)
        start_worker(run_dir)
    return run_dir


def start_worker(run_dir: Path) -> None:
    """Starts the process that does the job, and notes when and which it is."""
    start: dict[str, Any] = {"asked": time.time()}
    write_json(run_dir / "start.json", start)
    process = spawn("cifar_core.jobs.worker", str(run_dir), log=run_dir / "worker.log")
    write_json(run_dir / "start.json", {**start, "worker": identity_of(process.pid)})
