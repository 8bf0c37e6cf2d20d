"""What a run will occupy on disk, and whether there is room for it."""

import os
import shutil
from pathlib import Path

from cifar_core.checkpoints.checkpoint import KEEP_LAST
from cifar_core.config.train import TrainConfig
from cifar_core.errors import RunError
from cifar_core.models import MODELS

EPOCH_BYTES = 200_000  # what is kept of each epoch: 10,000 test images, 10 float16
MARGIN = 200_000_000  # bytes, for log, records, tables, and what else fills the disk meanwhile


def weight_bytes(config: TrainConfig) -> int:
    """Bytes of a file of weights: float32 parameters and the buffers of norms."""
    return MODELS[config.model].weight_bytes


def resumable_bytes(config: TrainConfig) -> int:
    """Bytes of a checkpoint that a run can be resumed from.

    Beside the weights, SGD keeps one value for each, AdamW two; EMA keeps the raw weights.
    """
    values = 2 if config.optimizer == "adamw" else int(config.momentum > 0)
    return weight_bytes(config) * (1 + values + (config.ema > 0))


def run_bytes(config: TrainConfig) -> int:
    """Bytes that a run occupies once it has ended, its records left out."""
    best = int(config.val_size > 0)
    kept = best + len(config.checkpoint_epochs)
    weights = KEEP_LAST * resumable_bytes(config) + kept * weight_bytes(config)
    return weights + config.epochs * EPOCH_BYTES


def bytes_to_come(config: TrainConfig, written: int = 0) -> int:
    """Bytes that a run will still write, at most.

    Args:
        written: Bytes of the run that are there already.
    """
    # While a checkpoint is written, those that it replaces are still there.
    return max(run_bytes(config) - written, 0) + resumable_bytes(config)


def check_space(root: Path, config: TrainConfig, written: int = 0, promised: int = 0) -> None:
    """Refuses to start what would fill the disk.

    Args:
        written: Bytes of the run that are there already.
        promised: Bytes that queued and running runs will still write there.

    Raises:
        RunError: naming the volume, what it has, and what is needed.
    """
    needed = bytes_to_come(config, written) + MARGIN
    there = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free - promised < needed:
        others = f", {_mb(promised)} of it for queued and running runs" if promised else ""
        raise RunError(
            f"{_volume(there)} has {_mb(free)} free{others}, but this run needs {_mb(needed)} "
            "there. Delete runs, keep fewer epochs (keep_epochs), or choose another folder with "
            "--runs or CIFAR_RUNS."
        )


def _volume(path: Path) -> Path:
    """Where the file system of a path is mounted."""
    resolved = path.resolve()
    return next(p for p in (resolved, *resolved.parents) if os.path.ismount(p))


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.0f} MB"
