"""CIFAR-10 as single PNG files: a folder per class, or Kaggle's numbered files with their labels.

Kaggle's competition (https://www.kaggle.com/c/cifar-10) has the 50,000 training images as
`train/1.png` … with `trainLabels.csv`. Its 300,000 test images have no labels, so none is read.
"""

import csv
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.arrays import Chunk
from cifar_core.data.dataset import CLASSES
from cifar_core.data.png import decode_png
from cifar_core.errors import DataError

KAGGLE_LABELS = "trainLabels.csv"
_FILES = 1000  # decoded at once
_MAX_BYTES = 20_000_000  # of a PNG or of the labels; both have a hundredth of it
OTHER_IMAGES = (".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm")


def read_class_folders(folder: Path) -> Iterator[Chunk]:
    """Yields the PNGs of a split in the order of `class_files`.

    Raises:
        DataError: if a file is no regular one, cannot be read, or is not an image of CIFAR-10.
    """
    for label, name in enumerate(CLASSES):
        files = image_files(folder / name)
        for start in range(0, len(files), _FILES):
            part = files[start : start + _FILES]
            yield _decoded(part, np.full(len(part), label), f"{name}/")


def class_files(folder: Path) -> list[str]:
    """The names of the PNGs of a split, class by class, each with its folder."""
    return [f"{name}/{file.name}" for name in CLASSES for file in image_files(folder / name)]


def image_files(folder: Path) -> list[Path]:
    """The PNGs in a folder, sorted; hidden ones, such as `._1.png` of macOS, are no pictures."""
    return sorted(path for path in _visible(folder) if path.suffix.lower() == ".png")


def unread_images(folders: Sequence[Path]) -> str:
    """The images in these folders that are no PNGs, counted by kind; empty if there are none."""
    kinds = Counter(path.suffix.lower() for folder in folders for path in _visible(folder))
    found = [f"{kinds[kind]:,} {kind}" for kind in OTHER_IMAGES if kinds[kind]]
    return f"{' and '.join(found)} files in it were not read: only PNG is." if found else ""


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def read_kaggle(folder: Path) -> Iterator[Chunk]:
    """Yields Kaggle's training images in the order of `trainLabels.csv`.

    Raises:
        DataError: as `read_class_folders`, or if the labels are not those of CIFAR-10.
    """
    place = kaggle_images(folder)
    rows = _kaggle_labels(folder / KAGGLE_LABELS)
    for start in range(0, len(rows), _FILES):
        part = rows[start : start + _FILES]
        labels = np.asarray([CLASSES.index(label) for _, label in part])
        yield _decoded([place / f"{number}.png" for number, _ in part], labels, "train/")


def kaggle_images(folder: Path) -> Path:
    """The folder of the training images; some programs unpack it into another of its name."""
    inner = folder / "train" / "train"
    return inner if inner.is_dir() else inner.parent


def kaggle_files(folder: Path) -> list[str]:
    """The names of the training images, in the order of `read_kaggle`."""
    return [f"{number}.png" for number, _ in _kaggle_labels(folder / KAGGLE_LABELS)]


def _kaggle_labels(file: Path) -> list[tuple[str, str]]:
    """Number and class name of each image."""
    text = _content(file, file.name).decode("utf-8-sig", "replace")
    try:
        rows = [tuple(map(str.strip, row)) for row in csv.reader(text.splitlines()) if row]
    except csv.Error:  # such as a field of a megabyte
        rows = []
    if not rows or rows[0] != ("id", "label"):
        raise DataError(f"{file.name} does not begin with id,label. Download it again from Kaggle.")
    labels = []
    for line, row in enumerate(rows[1:], 2):
        if len(row) != 2 or not row[0].isdecimal() or row[1] not in CLASSES:
            raise DataError(
                f"Row {line:,} of {file.name} is not a number and a class of CIFAR-10: "
                f"{','.join(row)[:100]!r}. Download it again from Kaggle."
            )
        labels.append((row[0], row[1]))
    return labels


def _decoded(files: list[Path], labels: NDArray[np.int64], prefix: str) -> Chunk:
    names = [f"{prefix}{file.name}" for file in files]
    pairs = zip(files, names, strict=True)
    return labeled([decode_png(_content(file, name), name) for file, name in pairs], labels, prefix)


def labeled(images: list[NDArray[np.uint8]], labels: NDArray[np.int64], where: str) -> Chunk:
    """Images and labels as arrays.

    Raises:
        DataError: if a label is no class of CIFAR-10.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() <= 9:
        raise DataError(f"{where} has labels outside 0 to 9. Use an unmodified copy.")
    return np.stack(images), labels.astype(np.uint8)


def _content(file: Path, where: str) -> bytes:
    check_regular(file, where)
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{where} cannot be read ({error.strerror}).") from None
    if len(content) > _MAX_BYTES:
        raise DataError(f"{where} has more than {_MAX_BYTES // 1_000_000} MB. Use another copy.")
    return content


def check_regular(file: Path, where: str) -> None:
    """Refuses what is no regular file: a FIFO would be waited for, a device never ends.

    Raises:
        DataError: if it is something else, or not there; a link to a file is good.
    """
    try:
        regular = stat.S_ISREG(file.stat().st_mode)
    except OSError as error:
        raise DataError(f"{where} cannot be read ({error.strerror}).") from None
    if not regular:
        raise DataError(f"{where} is not a regular file. Remove it, or use another copy.")
