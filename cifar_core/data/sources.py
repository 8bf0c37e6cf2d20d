"""The forms CIFAR-10 comes in: how each is detected, and which module reads it.

Sorting, checking for completeness and writing are done in `store`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cifar_core.data.arrays import Chunk
from cifar_core.data.batch_files import BATCHES, read_archive, read_batches
from cifar_core.data.dataset import CLASSES
from cifar_core.data.download import ARCHIVE_BYTES
from cifar_core.data.image_files import (
    KAGGLE_LABELS,
    class_files,
    kaggle_files,
    kaggle_images,
    read_class_folders,
    read_kaggle,
    unread_images,
)
from cifar_core.data.parquet_files import read_parquet
from cifar_core.errors import DataError

Form = Literal["parquet", "archive", "batches", "folders", "kaggle"]

# Keras 3 calls what it unpacks, and the archive itself, by names of its own (`datasets.cifar10`).
_KERAS = "cifar-10-batches-py-target"
_ARCHIVES = ("cifar-10-python.tar.gz", f"{_KERAS}_archive")
# Below the given folder, where the usual downloads put the files: the hub's cache, torchvision,
# Keras 2 and 3 (also seen from ~/.keras), Kaggle's.
_SUBFOLDERS = (
    "plain_text",
    "data",
    BATCHES,
    f"{_KERAS}/{BATCHES}",
    f"datasets/{BATCHES}",
    f"datasets/{_KERAS}/{BATCHES}",
    "datasets",
    "cifar10",
    "cifar-10",
    "*/snapshots/*/plain_text",
    "snapshots/*/plain_text",
)


@dataclass(frozen=True)
class Source:
    """A copy of CIFAR-10 on disk.

    Attributes:
        path: A folder, or the archive.
        files: The files or class folders whose names, sizes and times identify this copy. For
            60,000 PNGs only the folders are checked, which takes milliseconds instead of a
            second but misses an image overwritten in place.
    """

    form: Form
    path: Path
    files: tuple[Path, ...]

    @property
    def pickle_free(self) -> bool:
        """Whether reading cannot run code; only then may a copy be modified."""
        return self.form in ("parquet", "folders", "kaggle")

    def identity(self) -> str:
        """Hash of paths, sizes and times: the same copy is not decoded twice.

        Raises:
            DataError: if a file is gone, such as what a link led to.
        """
        try:
            stats = [
                (str(f.resolve()), s.st_size, s.st_mtime_ns) for f in self.files for s in [f.stat()]
            ]
        except OSError as error:
            raise DataError(
                f"A file of {self.path} cannot be read ({error.strerror}). Use a complete copy."
            ) from None
        return hashlib.sha256(repr(sorted(stats)).encode()).hexdigest()[:32]

    def unread(self) -> str:
        """What lies among its images and is not read, in a sentence; empty if there is nothing."""
        if self.form == "kaggle":
            return unread_images([kaggle_images(self.path)])
        return unread_images(self.files) if self.form == "folders" else ""


def detect_source(path: Path) -> Source | None:
    """The copy of CIFAR-10 at `path`, a file or a folder; None if there is none."""
    if path.is_file():
        renamed = path.name.endswith(".tar.gz") and path.stat().st_size == ARCHIVE_BYTES
        return Source("archive", path, (path,)) if renamed or path.name in _ARCHIVES else None
    return next(filter(None, map(_source_in, _candidates(path))), None)


def _candidates(path: Path) -> Iterator[Path]:
    """The folder itself and the subfolders that the usual downloads use."""
    yield path
    for pattern in _SUBFOLDERS:
        yield from sorted(path.glob(pattern))


def _source_in(folder: Path) -> Source | None:
    train, test = (tuple(sorted(folder.glob(f"{part}*.parquet"))) for part in ("train", "test"))
    if train and test:
        return Source("parquet", folder, (*train, *test))
    if (folder / "data_batch_1").is_file():
        return Source("batches", folder, tuple(sorted(folder.glob("*_batch*"))))
    for name in _ARCHIVES:
        if (folder / name).is_file():
            return Source("archive", folder / name, (folder / name,))
    if (folder / "train" / CLASSES[0]).is_dir():
        folders = [d for part in ("train", "test") for d in (folder / part).glob("*/")]
        return Source("folders", folder, tuple(sorted(folders)))
    if (folder / KAGGLE_LABELS).is_file() and (folder / "train").is_dir():
        return Source("kaggle", folder, (folder / KAGGLE_LABELS, kaggle_images(folder)))
    # Last: half a download must not hide a complete copy beside it.
    return Source("parquet", folder, train) if train else None


def read_split(source: Source, train: bool) -> Iterator[Chunk]:
    """Yields the images of one split piece by piece, in the order of the files.

    Raises:
        DataError: if a file is missing, damaged, or holds something else.
    """
    if source.form == "parquet":
        prefix = "train" if train else "test"
        for file in source.files:
            if file.name.startswith(prefix):
                yield from read_parquet(file)
    elif source.form == "folders":
        yield from read_class_folders(source.path / ("train" if train else "test"))
    elif source.form == "kaggle":
        yield from read_kaggle(source.path) if train else ()
    elif source.form == "batches":
        yield read_batches(source.path, train)
    else:
        yield read_archive(source.path, train)


def read_file_names(source: Source, train: bool) -> list[str] | None:
    """File names in the order of `read_split`; None where a form has none, or torchvision none."""
    if source.form == "folders":
        return class_files(source.path / ("train" if train else "test"))
    return kaggle_files(source.path) if source.form == "kaggle" and train else None
