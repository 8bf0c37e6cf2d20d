"""JSON files as types: equal when read again; whatever else lies there is one sentence."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ConfigDict

from cifar_core.errors import DataError, RunError
from cifar_core.system.json_files import MAX_BYTES, read_typed, write_typed
from cifar_core.validation import STORED, Count, Share
from tests.another_user import as_nobody


@dataclass(frozen=True)
class Note:
    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: str
    count: Count = 0
    shares: tuple[Share, ...] = ()


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    for note in (Note("a"), Note("ä\n\U0001f600", 2**53, (0.1 + 0.2, 1.0, 0.0))):
        write_typed(file, note)
        assert read_typed(file, Note) == note


def test_a_file_that_may_not_be_read_is_told_without_the_way_to_it() -> None:
    with tempfile.TemporaryDirectory() as name:  # the folders of pytest are closed to others
        file = Path(name) / "run" / "note.json"
        Path(name).chmod(0o755)
        file.parent.mkdir()
        write_typed(file, Note("a"))
        file.chmod(0)
        with as_nobody(), pytest.raises(RunError, match="Permission denied") as caught:
            read_typed(file, Note)
    assert str(caught.value).startswith("run/note.json ")
    assert name not in str(caught.value)


def test_no_file_is_no_note(tmp_path: Path) -> None:
    assert read_typed(tmp_path / "note.json", Note) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "invalid JSON"),
        (b"[1]", "note.json is damaged"),
        (b"null", "note.json is damaged"),
        (b'{"count": 1}', "name: "),
        (b'{"name": "a", "more": 1}', "more: "),
        (b'{"name": 1}', "name: "),
        (b'{"name": "a", "count": "1"}', "count: "),
        (b'{"name": "a", "count": true}', "count: "),
        (b'{"name": "a", "count": 1.5}', "count: "),
        (b'{"name": "a", "count": -1}', "count: "),
        (b'{"name": "a", "shares": [0.5, 1e400]}', "shares.1: "),
        (b'{"name": "a", "shares": [NaN]}', "damaged"),
        (b'{"name": "a", "shares": [[0.5]]}', "shares.0: "),
        (b'{"name": "\xff"}', "damaged"),
        (b"[" * 100_000, "damaged"),
        (b" " * (MAX_BYTES + 1), "damaged"),
    ],
)
def test_what_does_not_fit_is_one_sentence_with_file_place_and_next_step(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "run-1" / "note.json"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_typed(file, Note)
    text = str(caught.value)
    assert text.startswith("run-1/note.json is damaged: ")
    assert reason in text
    assert text.endswith("Restore it from a copy, or delete the folder.")
    assert len(text) < 500


@pytest.mark.parametrize("kind", ["folder", "FIFO", "link"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "note.json"
    if kind == "folder":
        file.mkdir()
    elif kind == "FIFO":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(
        DataError, match=rf"note\.json is a {kind}, not a regular file\. Remove it\."
    ):
        read_typed(file, Note, DataError, "Get it again.")
