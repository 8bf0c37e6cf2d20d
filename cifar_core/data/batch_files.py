"""CIFAR-10 as pickled batches and in the official archive; checked before anything is unpickled."""

import tarfile
import tempfile
from pathlib import Path

import numpy as np

from cifar_core.data.arrays import Chunk
from cifar_core.data.download import ARCHIVE_SHA256
from cifar_core.errors import DataError
from cifar_core.system.files import file_sha256

BATCHES = "cifar-10-batches-py"


def read_batches(folder: Path, train: bool) -> Chunk:
    """Reads through torchvision, which checks md5 sums before unpickling anything.

    Raises:
        DataError: if a batch is missing or not the official one.
    """
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


def read_archive(archive: Path, train: bool) -> Chunk:
    """Unpacks the official archive into a temporary folder and reads its batches.

    Raises:
        DataError: if it is not the official one. Its own sum is not told: the path may be of any
            file on the server, named by whoever can open a page.
    """
    if file_sha256(archive) != ARCHIVE_SHA256:
        raise DataError(
            f"{archive.name} is not the official archive: its SHA-256 is not "
            f"{ARCHIVE_SHA256[:16]}…. Delete it and download it again."
        )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        return read_batches(Path(folder) / BATCHES, train)
