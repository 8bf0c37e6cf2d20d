"""Where CIFAR-10 is looked for: the folder that is named, CIFAR10_DIR, then the cache."""

import os
from pathlib import Path

from cifar_core.data.sources import Source, recognise
from cifar_core.errors import DataError
from cifar_core.system.paths import cache_dir

NAMED = ("cifar10", "shapes10")  # all else that `data` may be is a path


def find_source(data: str) -> Source | None:
    """The copy on disk that `data` stands for; None: only the cache has it.

    Raises:
        DataError: if there is nothing there.
    """
    if data == "cifar10":
        if folder := os.environ.get("CIFAR10_DIR"):
            return _source_at(folder, "CIFAR10_DIR points to")
        if complete(cache_dir() / "decoded" / "cifar10"):
            return None
        if found := recognise(cache_dir() / "downloads"):
            return found
        raise DataError(
            "CIFAR-10 is not here: CIFAR10_DIR is not set and nothing was downloaded yet. "
            "Download it (python -m cifar_core data download), name a folder that has it "
            "(--data FOLDER), or take --data shapes10, which needs no download."
        )
    return _source_at(data, "--data names")


def _source_at(path: str, how: str) -> Source:
    place = Path(path).expanduser()
    try:
        there, found = place.exists(), recognise(place)
    except OSError as error:
        raise DataError(f"{how} {path}, which cannot be read ({error.strerror}).") from None
    if not there:
        raise DataError(
            f"{how} {path}, which does not exist. Name a folder with CIFAR-10, "
            "or take cifar10 or shapes10."
        )
    if found:
        return found
    raise DataError(
        f"{how} {path}, where no CIFAR-10 was found. Accepted: train*.parquet and test*.parquet, "
        "cifar-10-python.tar.gz, cifar-10-batches-py, or train/ and test/ with a folder of PNGs "
        "per class."
    )


def complete(folder: Path) -> Path | None:
    """The folder of decoded data if it was written to its end, else None."""
    return folder if (folder / "meta.json").is_file() else None
