"""The user's cache, the folder of the runs, the repository; looked up at each call."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """CIFAR_CACHE, or the user's cache directory; not created here."""
    if chosen := os.environ.get("CIFAR_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cifar_core"


def runs_root(chosen: str | Path | None = None) -> Path:
    """The given folder, CIFAR_RUNS, or `checkpoints` beside the package."""
    if chosen := chosen or os.environ.get("CIFAR_RUNS"):
        return Path(chosen).expanduser().absolute()
    return repository() / "checkpoints"


def repository() -> Path:
    """The folder that holds the package; workers start there."""
    return Path(__file__).resolve().parents[2]
