"""What is checked of a config before a job is started: hardware, data, disk, weights."""

from pathlib import Path
from typing import Any

from cifar_core.config.train import TrainConfig
from cifar_core.data.dataset import split_indices
from cifar_core.data.locate import NAMED
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.errors import ConfigError
from cifar_core.forecast.disk_space import bytes_to_come, check_space
from cifar_core.jobs.queue import active_runs
from cifar_core.jobs.starting_weights import starting_weights
from cifar_core.runs.store import TrainingRun, disk_bytes
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
        weights = str(starting_weights(root, config).path.absolute())
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


def check_disk(root: Path, config: TrainConfig, run: TrainingRun | None = None) -> None:
    """Refuses to start what would fill the disk together with what is queued or running.

    Args:
        run: The one that is to go on, if it is not new.

    Raises:
        RunError: as `check_space`.
    """
    promised = sum(
        bytes_to_come(other.config, disk_bytes(other))
        for other in active_runs(root)
        if isinstance(other, TrainingRun)
    )
    check_space(root, config, disk_bytes(run) if run else 0, promised)
