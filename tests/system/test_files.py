"""Files: neither a reader nor a crash ever meets half of one."""

import errno
import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cifar_core.system import files
from cifar_core.system.files import file_sha256, folder_bytes, read_json, write_atomic, write_json


def fail(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk(io.FileIO):
    """Takes one byte, then there is no room."""

    def write(self, data: Any, /) -> int:
        super().write(bytes(data)[:1])
        fail()


def fail_to_write(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "open", lambda path, mode: FullDisk(path, "w"))


FAILURES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "open": lambda patch: patch.setattr(Path, "open", fail),
    "write": fail_to_write,
    "fsync": lambda patch: patch.setattr(files.os, "fsync", fail),
    "replace": lambda patch: patch.setattr(Path, "replace", fail),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_write_atomic_makes_and_replaces_a_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"old")
    write_atomic(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


@pytest.mark.parametrize("step", FAILURES)
def test_a_failed_write_leaves_the_old_file_whole_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write_atomic(tmp_path / "a", b"old")
    with monkeypatch.context() as patch:
        FAILURES[step](patch)
        with pytest.raises(OSError, match="No space left"):
            write_atomic(tmp_path / "a", b"new content")
    assert contents(tmp_path) == {"a": b"old"}


@pytest.mark.parametrize("step", FAILURES)
def test_a_failed_first_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        FAILURES[step](patch)
        with pytest.raises(OSError, match="No space left"):
            write_json(tmp_path / "a.json", {"a": 1})
    assert contents(tmp_path) == {}


def test_the_file_is_synced_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        seen.append("fsync")
        fsync(handle)

    def watched_replace(path: Path, target: Path) -> Path:
        seen.append("replace")
        assert path.read_bytes() == b"new"
        return replace(path, target)

    monkeypatch.setattr(files.os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    write_atomic(tmp_path / "a", b"new")
    assert seen == ["fsync", "replace", "fsync"]  # the last one is the folder's


def test_a_folder_that_cannot_be_synced_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.sync_folder(tmp_path / "missing")
    monkeypatch.setattr(files.os, "fsync", fail)
    files.sync_folder(tmp_path)


def test_write_into_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "missing" / "a", b"new")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("value", [{}, {"a": [1, None, 0.1, "ä\n"]}, {"deep": {"er": True}}])
def test_json_comes_back_as_it_was(tmp_path: Path, value: dict[str, Any]) -> None:
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


GARBAGE = {
    "empty": b"",
    "torn": b'{"a": 1, "b',
    "no object": b"[1, 2]",
    "a number": b"1",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "zeros": bytes(100),
    "two objects": b"{}{}",
    "nested without end": b'{"a":' * 100_000,
    "endless number": b'{"a": ' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_reads_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") is None


def test_what_is_no_file_reads_as_none(tmp_path: Path) -> None:
    assert read_json(tmp_path) is None
    assert read_json(tmp_path / "missing.json") is None
    assert read_json(tmp_path / "missing" / "a.json") is None


def test_folder_bytes_is_the_sum_of_all_files_below(tmp_path: Path) -> None:
    assert folder_bytes(tmp_path) == 0
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(bytes(10))
    (tmp_path / ".hidden").write_bytes(bytes(200))
    (tmp_path / "a" / "b" / "deep").write_bytes(bytes(3000))
    (tmp_path / "link").symlink_to(tmp_path / "one")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    assert folder_bytes(tmp_path) == 3210


def test_folder_bytes_of_what_is_gone_is_nothing(tmp_path: Path) -> None:
    assert folder_bytes(tmp_path / "missing") == 0


def test_file_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than one piece
    (tmp_path / "a").write_bytes(content)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_folder_bytes_beside_a_worker_that_renames_its_drafts(tmp_path: Path) -> None:
    """A checkpoint becomes visible by the rename of its folder; what stays is always counted."""
    (tmp_path / "stays").write_bytes(b"x" * 7)
    draft, checkpoint, done = tmp_path / ".best.draft", tmp_path / "best", threading.Event()
    draft.mkdir()

    def rename_to_and_fro() -> None:
        while not done.is_set():
            draft.replace(checkpoint)
            checkpoint.replace(draft)

    worker = threading.Thread(target=rename_to_and_fro)
    worker.start()
    try:
        assert {folder_bytes(tmp_path) for _ in range(3000)} == {7}
    finally:
        done.set()
        worker.join()
