"""A partly downloaded file: its note never describes other bytes, and it arrives whole."""

import hashlib
from pathlib import Path

import pytest

from cifar_core.data.partial_file import PartialFile
from cifar_core.errors import DataError

CONTENT = b"some bytes" * 100


def partial(folder: Path, url: str = "https://a/file") -> PartialFile:
    target = folder / "file.tar.gz"
    return PartialFile(target, url, folder / "file.tar.gz.part", folder / "file.tar.gz.part.json")


def test_bytes_go_on_under_the_same_address_only(tmp_path: Path) -> None:
    part = partial(tmp_path)
    assert part.state() == (0, None, None)
    part.begin(1000, "v1")
    assert part.state() == (0, 1000, "v1")
    part.path.write_bytes(CONTENT[:300])
    assert part.state() == (300, 1000, "v1")
    assert partial(tmp_path, "https://b/file").state() == (0, None, None)
    progress = part.report("Downloading")
    assert (progress.stage, progress.done, progress.total) == (
        "Downloading file.tar.gz",
        300,
        1000,
    )


def test_a_new_beginning_forgets_what_was_there(tmp_path: Path) -> None:
    part = partial(tmp_path)
    part.begin(1000, "v1")
    part.path.write_bytes(CONTENT)
    part.begin(None, None)
    assert part.state() == (0, None, None)
    part.discard()
    part.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("known", [True, False])
def test_what_is_whole_arrives_and_leaves_nothing_beside(tmp_path: Path, known: bool) -> None:
    part = partial(tmp_path)
    part.begin(1000, "v1")
    part.path.write_bytes(CONTENT)
    part.finish(hashlib.sha256(CONTENT).hexdigest() if known else None)
    assert part.target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [part.target]


def test_other_bytes_than_expected_are_deleted_and_named(tmp_path: Path) -> None:
    part = partial(tmp_path)
    part.begin(1000, "v1")
    part.path.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=r"sent 999 bytes with SHA-256 .*Download again"):
        part.finish(hashlib.sha256(CONTENT).hexdigest())
    assert list(tmp_path.iterdir()) == []
