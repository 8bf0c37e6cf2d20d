"""Where CIFAR-10 is downloaded from, and which files. Nothing is decoded here."""

from collections.abc import Iterator
from pathlib import Path

from cifar_core.data.transfer import download_file
from cifar_core.errors import DataError
from cifar_core.system.progress import Progress

# Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html; SHA-256 computed from the archive.
ARCHIVE_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
ARCHIVE_BYTES = 170_498_071
HUB_URL = "https://huggingface.co/datasets/uoft-cs/cifar10/resolve/main/plain_text/"
HUB_FILES = ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet")


def download_cifar10(
    folder: Path, origin: str = "archive", base_url: str | None = None
) -> Iterator[Progress]:
    """Downloads CIFAR-10 into `folder`, as the official archive or as two Parquet files.

    The Parquet files are verified by the fingerprint of their images, when decoded.

    Args:
        origin: "archive" (170 MB, University of Toronto) or "hub" (144 MB, Hugging Face).
        base_url: A mirror that has the files of this origin.

    Raises:
        DataError: as `download_file`, or for an unknown origin.
    """
    home, files = _files_of(origin)
    for name, sha256 in files.items():
        url = f"{(base_url or home).rstrip('/')}/{name}"
        yield from download_file(url, folder / name, sha256=sha256)


def remove_downloaded(folder: Path, origin: str) -> None:
    """Deletes the files of an origin that have arrived; what else lies there stays."""
    for name in _files_of(origin)[1]:
        (folder / name).unlink(missing_ok=True)


def _files_of(origin: str) -> tuple[str, dict[str, str | None]]:
    """The address that an origin's files lie under, and their names with the known SHA-256."""
    home, archive = ARCHIVE_URL.rsplit("/", 1)
    origins: dict[str, tuple[str, dict[str, str | None]]] = {
        "archive": (home, {archive: ARCHIVE_SHA256}),
        "hub": (HUB_URL, dict.fromkeys(HUB_FILES)),
    }
    if origin not in origins:
        raise DataError(f"Unknown origin {origin!r}. Available: {', '.join(origins)}.")
    return origins[origin]
