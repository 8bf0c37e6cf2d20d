"""The file that a command writes: checked before the work begins, written whole or not at all."""

from pathlib import Path

from cifar_core.errors import ConfigError
from cifar_core.system.files import write_atomic
from cifar_core.system.paths import user_path


def check_out(option: str, path: Path, *endings: str) -> None:
    """Refuses a path that could not be written later.

    Args:
        option: The option it was given with, such as "--out".
        endings: The accepted ones, such as ".png".

    Raises:
        ConfigError: if it has another ending, or its folder does not exist.
    """
    if path.suffix.lower() not in endings:
        raise ConfigError(f"{option} {path} has to end in {' or '.join(endings)}.")
    if not user_path(path).parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no such folder. Create it first.")


def write_out(option: str, path: Path, content: bytes) -> None:
    """Writes the file.

    Raises:
        ConfigError: if it cannot be written.
    """
    try:
        write_atomic(path, content)
    except OSError as error:
        raise ConfigError(f"{option} {path} cannot be written ({error.strerror}).") from None
