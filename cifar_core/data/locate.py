"""Where CIFAR-10 is looked for: a given path, or CIFAR10_DIR and then the cache."""

import os
from pathlib import Path

from cifar_core.data.sources import Source, detect_source
from cifar_core.errors import DataError
from cifar_core.system.paths import cache_dir, user_path

NAMED = ("cifar10", "shapes10")  # any other value of `data` is a path


def find_source(data: str) -> Source | None:
    """The copy on disk that `data` refers to; None if only the decoded cache has it.

    Raises:
        DataError: if there is none.
    """
    if data == "cifar10":
        if folder := os.environ.get("CIFAR10_DIR"):
            return _source_at(folder, "CIFAR10_DIR =")
        if complete(cache_dir() / "decoded" / "cifar10"):
            return None
        if downloaded := detect_source(cache_dir() / "downloads"):
            return downloaded
        raise DataError(
            "CIFAR-10 not found: CIFAR10_DIR is not set and nothing was downloaded yet. "
            "Download it (python -m cifar_core data download), give the folder of a copy "
            "(--data FOLDER), or use --data shapes10, which needs no download."
        )
    return _source_at(data, "data =")


def _source_at(path: str, prefix: str) -> Source:
    expanded = user_path(path)
    try:
        exists, source = expanded.exists(), detect_source(expanded)
    except OSError as error:
        raise DataError(
            f"{prefix} {path} cannot be read ({error.strerror}). Check its permissions."
        ) from None
    if not exists:
        raise DataError(
            f"{prefix} {path} does not exist. Give the folder of a copy of CIFAR-10, "
            "cifar10 or shapes10."
        )
    if source:
        return source
    raise DataError(
        f"{prefix} {path} contains no CIFAR-10. Accepted: train*.parquet and test*.parquet, "
        "cifar-10-python.tar.gz, cifar-10-batches-py, or train/ and test/ with a folder of PNGs "
        "per class."
    )


def complete(folder: Path) -> Path | None:
    """The folder of decoded data if it was completely written, else None."""
    return folder if (folder / "meta.json").is_file() else None
