"""The formats CIFAR-10 comes in: how each is detected and read.

Sorting, checking for completeness and writing are done in `store`.
"""

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.dataset import CLASSES
from cifar_core.data.download import ARCHIVE_SHA256
from cifar_core.errors import DataError
from cifar_core.system.files import file_sha256

Chunk = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # (N, 32, 32, 3) images, (N,) labels
Form = Literal["parquet", "archive", "batches", "folders"]

_ARCHIVE = "cifar-10-python.tar.gz"
_BATCHES = "cifar-10-batches-py"


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
        return self.form in ("parquet", "folders")

    def identity(self) -> str:
        """Hash of paths, sizes and times: the same copy is not decoded twice."""
        stats = [
            (str(f.resolve()), s.st_size, s.st_mtime_ns) for f in self.files for s in [f.stat()]
        ]
        return hashlib.sha256(repr(sorted(stats)).encode()).hexdigest()[:32]


def detect_source(path: Path) -> Source | None:
    """The copy of CIFAR-10 at `path`, a file or a folder; None if there is none."""
    if path.is_file():
        return Source("archive", path, (path,)) if path.name.endswith(".tar.gz") else None
    for folder in _candidates(path):
        parquet = (*sorted(folder.glob("train*.parquet")), *sorted(folder.glob("test*.parquet")))
        train_only = bool(parquet) and not any(f.name.startswith("test") for f in parquet)
        if any(f.name.startswith("train") for f in parquet) and not train_only:
            return Source("parquet", folder, parquet)
        if (folder / "data_batch_1").is_file():
            return Source("batches", folder, tuple(sorted(folder.glob("*_batch*"))))
        if (folder / _ARCHIVE).is_file():
            return Source("archive", folder / _ARCHIVE, (folder / _ARCHIVE,))
        if (folder / "train" / CLASSES[0]).is_dir():
            folders = [d for part in ("train", "test") for d in (folder / part).glob("*/")]
            return Source("folders", folder, tuple(sorted(folders)))
        if train_only:  # last: half a download must not hide a complete copy beside it
            return Source("parquet", folder, parquet)
    return None


def _candidates(path: Path) -> Iterator[Path]:
    """The folder itself and the subfolders that the usual downloads use."""
    yield path
    for pattern in ("plain_text", "data", _BATCHES, "cifar10", "*/snapshots/*/plain_text"):
        yield from sorted(path.glob(pattern))
    yield from sorted(path.glob("snapshots/*/plain_text"))


def read_split(source: Source, train: bool) -> Iterator[Chunk]:
    """Yields the images of one split piece by piece, in the order of the files.

    Raises:
        DataError: if a file is missing, damaged, or holds something else.
    """
    if source.form == "parquet":
        prefix = "train" if train else "test"
        for file in source.files:
            if file.name.startswith(prefix):
                yield from _read_parquet(file)
    elif source.form == "folders":
        yield from _read_folders(source.path / ("train" if train else "test"))
    elif source.form == "batches":
        yield _read_batches(source.path, train)
    else:
        yield _read_archive(source.path, train)


def _read_parquet(file: Path) -> Iterator[Chunk]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            columns = ["img" if "img" in table.schema_arrow.names else "image", "label"]
            if not pa.types.is_integer(table.schema_arrow.field("label").type):
                raise ValueError("its labels are not whole numbers")
            for batch in table.iter_batches(batch_size=1000, columns=columns):
                encoded = batch.column(0).field("bytes").to_pylist()
                labels = np.asarray(batch.column(1).to_pylist(), dtype=np.int64)
                yield _chunk([decode_png(png, file.name) for png in encoded], labels, file)
    except (
        pa.ArrowException,
        OSError,
        LookupError,
        AttributeError,
        ValueError,
        TypeError,
    ) as error:
        raise DataError(
            f"{file.name} is damaged or not a Parquet file of CIFAR-10 ({error}). "
            "Download it again."
        ) from None


def decode_png(png: bytes, where: str) -> NDArray[np.uint8]:
    """Decodes one PNG to (32, 32, 3) uint8.

    Raises:
        DataError: if it is not a PNG of 32x32 RGB pixels; `where` names the file.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.size != (32, 32) or image.mode != "RGB":
                raise DataError(
                    f"{where} contains an image of {image.size[0]}x{image.size[1]} {image.mode}; "
                    "CIFAR-10 has 32x32 RGB. Use an unmodified copy."
                )
            return np.asarray(image)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(f"{where} contains a damaged image ({error}). Download it again.") from None


def _chunk(images: list[NDArray[np.uint8]], labels: NDArray[np.int64], where: Path) -> Chunk:
    if len(labels) and not 0 <= labels.min() <= labels.max() <= 9:
        raise DataError(f"{where.name} has labels outside 0 to 9. Use an unmodified copy.")
    return np.stack(images), labels.astype(np.uint8)


def read_file_names(source: Source, train: bool) -> list[str] | None:
    """File names in the order of `read_split`; None where a form has none, or torchvision none."""
    if source.form != "folders":
        return None
    folder = source.path / ("train" if train else "test")
    return [f"{name}/{file.name}" for name in CLASSES for file in _image_files(folder / name)]


def _image_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


def _read_folders(folder: Path) -> Iterator[Chunk]:
    for label, name in enumerate(CLASSES):
        files = _image_files(folder / name)
        for start in range(0, len(files), 1000):
            part = files[start : start + 1000]
            images = [decode_png(file.read_bytes(), f"{name}/{file.name}") for file in part]
            yield _chunk(images, np.full(len(part), label), folder)


def _read_batches(folder: Path, train: bool) -> Chunk:
    """Reads through torchvision, which checks md5 sums before unpickling anything."""
    from torchvision.datasets import CIFAR10

    class Batches(CIFAR10):
        base_folder = ""  # whatever the folder is called

    try:
        official = Batches(str(folder), train=train, download=False)
    except RuntimeError:
        raise DataError(
            f"{folder} is incomplete or modified: its md5 sums are not those of the official "
            "archive, so its pickles are not opened. Download it again."
        ) from None
    return official.data, np.asarray(official.targets, dtype=np.uint8)


def _read_archive(archive: Path, train: bool) -> Chunk:
    actual = file_sha256(archive)
    if actual != ARCHIVE_SHA256:
        raise DataError(
            f"{archive.name} is not the official archive: its SHA-256 is {actual[:16]}…, expected "
            f"{ARCHIVE_SHA256[:16]}…. Delete it and download it again."
        )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        return _read_batches(Path(folder) / _BATCHES, train)
