"""What is checked of a config before a job is started: hardware, data, starting weights."""

from pathlib import Path
from typing import Any

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, read_checkpoint, verified
from cifar_core.config.train import TrainConfig
from cifar_core.data.dataset import split_indices
from cifar_core.data.locate import NAMED
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.errors import ConfigError
from cifar_core.records import layout
from cifar_core.runs.store import TrainingRun, find_run
from cifar_core.system.locks import device_lock
from cifar_core.system.paths import user_path
from cifar_core.system.runtime import check_compiler, probe, resolve_runtime


def check_config(root: Path, config: TrainConfig) -> tuple[TrainConfig, dict[str, Any]]:
    """The config with absolute folders, since workers start elsewhere; device and data.

    Raises:
        CifarCoreError: if data, starting weights or hardware will not do.
    """
    device = resolve_runtime(probe(), config.device, config.precision, config.memory_format).device
    device_lock(device)
    if config.compile:
        check_compiler(device)
    if config.data not in NAMED:
        config = config.model_copy(update={"data": str(user_path(config.data))})
    if config.weights:
        weights = str(_starting_weights(root, config).path.absolute())
        config = config.model_copy(update={"weights": weights})
    details: dict[str, Any] = {"device": device}
    if is_ready(config.data):
        data = open_dataset(config.data)
        train, _ = split_indices(len(data.train), config.val_size, config.train_size, config.seed)
        if len(train) < config.batch_size:
            raise ConfigError(
                f"batch_size = {config.batch_size} is more than the {len(train):,} training "
                "images. Choose a smaller one."
            )
        details |= {"data_title": data.title, "fingerprint": data.fingerprint}
    return config, details


def _starting_weights(root: Path, config: TrainConfig) -> Checkpoint:
    """The checkpoint that `config.weights` names.

    Raises:
        CifarCoreError: if there is none, or it is damaged or of another model.
    """
    folder = user_path(config.weights)
    if (folder / layout.MANIFEST).is_file():
        checkpoint = read_checkpoint(folder)
    else:
        checkpoint = find_checkpoint(find_run(root, config.weights, TrainingRun).path, "best")
    if checkpoint.manifest.model != config.model:
        raise ConfigError(
            f"weights = {config.weights!r} are those of a {checkpoint.manifest.model}, not of a "
            f"{config.model}. Choose weights of the same model."
        )
    verified(checkpoint, layout.WEIGHTS)
    return checkpoint
