"""CIFAR-10's pickled forms made up on disk, and what any form has to be opened as."""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data import Dataset, Split, batch_files, open_dataset, prepare, split_build
from cifar_core.errors import DataError


def digests_of(split: Split) -> list[bytes]:
    """SHA-256 of label byte and pixels, of each image."""
    pairs = zip(split.images, split.labels, strict=True)
    return [hashlib.sha256(bytes([label]) + image.tobytes()).digest() for image, label in pairs]


def fingerprint_of(split: Split) -> str:
    """As `../shared/cifar10/README.md` defines it."""
    return hashlib.sha256(b"".join(sorted(digests_of(split)))).hexdigest()


def order_of(split: Split) -> list[int]:
    """The indices of the images, sorted by digest."""
    digests = digests_of(split)
    return sorted(range(len(digests)), key=lambda i: digests[i])


def open_at(path: Path, allow_modified: bool = True) -> Dataset:
    """Decodes and opens what lies at a path."""
    for _ in prepare(str(path), allow_modified):
        pass
    return open_dataset(str(path))


def declare_official(monkeypatch: pytest.MonkeyPatch, data: Dataset) -> None:
    """Makes the fingerprints of this data set those of the complete CIFAR-10."""
    for name, split in (("train", data.train), ("test", data.test)):
        monkeypatch.setitem(split_build.OFFICIAL, name, fingerprint_of(split))


def write_batches(folder: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes `folder`/cifar-10-batches-py and makes its md5 sums the official ones."""
    from torchvision.datasets import CIFAR10

    place = folder / "cifar-10-batches-py"
    place.mkdir(parents=True)

    def write(name: str, content: object) -> str:
        raw = pickle.dumps(content)
        (place / name).write_bytes(raw)
        return hashlib.md5(raw).hexdigest()

    def batch(split: Split, rows: np.ndarray) -> dict[str, object]:
        flat = split.images[rows].transpose(0, 3, 1, 2).reshape(len(rows), 3072)
        return {"data": flat, "labels": split.labels[rows].tolist()}

    names = [f"data_batch_{number}" for number in range(1, 6)]
    shares = np.array_split(np.arange(len(data.train)), 5)
    sums = [write(n, batch(data.train, rows)) for n, rows in zip(names, shares, strict=True)]
    test_sum = write("test_batch", batch(data.test, np.arange(len(data.test))))
    meta_sum = write("batches.meta", {"label_names": list(data.classes)})
    monkeypatch.setattr(CIFAR10, "train_list", list(map(list, zip(names, sums, strict=True))))
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", test_sum]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta_sum})
    return folder


def write_archive(folder: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes `folder`/cifar-10-python.tar.gz and makes its SHA-256 the official one."""
    write_batches(folder / "unpacked", data, monkeypatch)
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "unpacked" / "cifar-10-batches-py", "cifar-10-batches-py")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(batch_files, "ARCHIVE_SHA256", sha256)
    return archive


def archive_of_nothing(path: Path) -> None:
    """A tar.gz that is not the official one."""
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("nothing")
        tar.addfile(info, io.BytesIO(b""))


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below a folder."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in [folder, *folder.rglob("*")]}


def decoded(cache: Path) -> list[str]:
    """What lies in the cache's folder of decoded data, drafts too."""
    return sorted(path.name for path in (cache / "decoded").glob("*"))


def refusal(path: Path, cache: Path, allow_modified: bool = True) -> str:
    """The sentence with which a copy is refused; nothing of it may stay in the cache."""
    with pytest.raises(DataError) as caught:
        open_at(path, allow_modified)
    assert decoded(cache) == []
    assert not list((cache / "sources").glob("*"))
    return str(caught.value)
