"""Where CIFAR-10 is looked for: a given path, or CIFAR10_DIR and then the cache."""

import contextlib
import os
from collections.abc import Iterator
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
        with readable(cache_dir() / "downloads"):
            if downloaded := detect_source(cache_dir() / "downloads"):
                return downloaded
        raise DataError(
            "CIFAR-10 not found: CIFAR10_DIR is not set and nothing was downloaded yet. "
            "Download it (python -m cifar_core data download), give the folder of a copy "
            "(--data FOLDER), or use --data shapes10, which needs no download."
        )
    return _source_at(data, "data =")


def _source_at(path: str, prefix: str) -> Source:
    """One answer whether nothing is there or something else: a visitor may name any path."""
    source = None
    with contextlib.suppress(OSError):
        source = detect_source(user_path(path))
    if source:
        return source
    raise DataError(
        f"{prefix} {path} is no copy of CIFAR-10 that can be read. Check that it exists and its "
        "permissions. Accepted: cifar10, shapes10, or a folder with train*.parquet and "
        "test*.parquet, cifar-10-python.tar.gz, cifar-10-batches-py (also in Keras's cache), "
        "train/ and test/ with a folder of PNGs per class, or Kaggle's train/ and trainLabels.csv."
    )


def complete(folder: Path) -> Path | None:
    """The folder of decoded data if it was completely written, else None.

    Raises:
        DataError: if it may not be read.
    """
    with readable(folder):
        return folder if (folder / "meta.json").is_file() else None


@contextlib.contextmanager
def readable(place: Path) -> Iterator[None]:
    """Tells that something in the cache may not be read, such as another user's.

    Raises:
        DataError: then.
    """
    try:
        yield
    except PermissionError:
        raise DataError(
            f"{place} in the cache may not be read: it is probably another user's. Ask them for "
            "permission to read it, or set CIFAR_CACHE to a folder of your own."
        ) from None
