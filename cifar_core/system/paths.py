"""The user's cache, the folders of own and shipped runs, the repository; looked up at each call."""

import contextlib
import errno
import os
from pathlib import Path

from cifar_core.errors import ConfigError


def user_path(text: str | Path) -> Path:
    """The absolute path that somebody names; `~` is their home, `~name` another's.

    Raises:
        ConfigError: if no path can be meant: there is no such home, the text is too long, or it has
            a zero byte or half a character.
    """
    try:
        path = Path(text).expanduser().absolute()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            path.lstat()
        return path
    except ValueError:
        raise ConfigError(
            f"{str(text)[:200]!r} has characters that no path has. Give another path."
        ) from None
    except (RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise ConfigError(f"{str(text)[:200]!r} is too long for a path.") from None
        raise ConfigError(
            f"{str(text)[:200]!r} cannot be found: there is no such home folder, or no current "
            "folder. Give an absolute path."
        ) from None


def cache_dir() -> Path:
    """CIFAR_CACHE, or the user's cache directory; not created here.

    Raises:
        ConfigError: if there is no home folder to have a cache in.
    """
    if chosen := os.environ.get("CIFAR_CACHE"):
        return user_path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return user_path(base) / "cifar_core"
    try:
        return Path.home() / ".cache" / "cifar_core"
    except RuntimeError:
        raise ConfigError(
            "There is no home folder for the cache. Set CIFAR_CACHE to a writable folder."
        ) from None


def runs_root(chosen: str | Path | None = None) -> Path:
    """The given folder, CIFAR_RUNS, or `checkpoints` beside the package.

    Raises:
        ConfigError: as `user_path`.
    """
    if chosen := chosen or os.environ.get("CIFAR_RUNS"):
        return user_path(chosen)
    return repository() / "checkpoints"


def shipped_root() -> Path:
    """CIFAR_SHIPPED, or the folder of the trained models that come with the package; read-only.

    Raises:
        ConfigError: as `user_path`.
    """
    if chosen := os.environ.get("CIFAR_SHIPPED"):
        return user_path(chosen)
    return repository() / "checkpoints" / "shipped"


def repository() -> Path:
    """The folder that holds the package; workers start there."""
    return Path(__file__).resolve().parents[2]
