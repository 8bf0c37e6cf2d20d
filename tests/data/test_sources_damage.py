"""Data that are missing, damaged or modified: one sentence, and nothing left in the cache."""

import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cifar_core.cli.main import main
from cifar_core.data import Dataset, is_ready, open_dataset, prepare, store
from cifar_core.data.download import ARCHIVE_SHA256
from cifar_core.data.png import decode_png
from cifar_core.errors import DataError
from cifar_core.system.files import file_sha256
from tests.cifar_forms import archive_of_nothing, open_at, refusal
from tests.made_up_data import png, write_folders, write_parquet
from tests.pictures import encoded

FIRST = "train-00000-of-00002.parquet"
GOOD = png(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3))


@pytest.fixture
def copy(tmp_path: Path, tiny: Dataset, own_cache: Path) -> Path:
    """A sound copy in Parquet, and a cache that is empty."""
    return write_parquet(tmp_path / "copy", tiny)


def with_rows(file: Path, **columns: Any) -> Path:
    """Writes a Parquet file of these columns."""
    pq.write_table(pa.table(columns), file)
    return file


def row(picture: bytes | None = GOOD, label: object = 3) -> dict[str, Any]:
    return {"img": [{"bytes": picture, "path": "x.png"}], "label": [label]}


def huge_png() -> bytes:
    """A PNG of a few bytes that says it has 900 million pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    sound = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + sound + GOOD[33:]


def gray_png() -> bytes:
    return png(np.zeros((32, 32), np.uint8))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"nonsense" * 100, None])
def test_a_damaged_parquet_file_is_named(
    copy: Path, own_cache: Path, content: bytes | None
) -> None:
    raw = (copy / FIRST).read_bytes()
    (copy / FIRST).write_bytes(raw[: len(raw) // 2] if content is None else content)
    assert FIRST in refusal(copy, own_cache)


@pytest.mark.parametrize(
    "columns",
    [
        {"img": [{"bytes": GOOD, "path": ""}]},
        {"label": [3]},
        {"other": [1]},
        {"img": [GOOD], "label": [3]},
        {"img": [{"path": ""}], "label": [3]},
        row(label=None),
        row(label="three"),
        row(label=2.5),
        row(picture=None),
    ],
    ids=[
        "no label",
        "no image",
        "neither",
        "no struct",
        "no bytes",
        "none",
        "word",
        "2.5",
        "empty",
    ],
)
def test_a_parquet_file_of_something_else_is_named(
    copy: Path, own_cache: Path, columns: dict[str, Any]
) -> None:
    with_rows(copy / FIRST, **columns)
    assert FIRST in refusal(copy, own_cache)


def test_a_row_that_holds_a_path_only_is_told_with_its_number(copy: Path, own_cache: Path) -> None:
    pictures = [{"bytes": GOOD, "path": "a.png"}, {"bytes": None, "path": "/there/b.png"}]
    with_rows(copy / FIRST, img=pictures, label=[3, 4])
    assert f"Row 1 of {FIRST} holds no picture, only its path '/there/b.png'" in refusal(
        copy, own_cache
    )


@pytest.mark.parametrize("label", [10, -1, 255, 256])
def test_labels_outside_0_to_9_are_refused(copy: Path, own_cache: Path, label: int) -> None:
    with_rows(copy / FIRST, **row(label=label))
    sentence = refusal(copy, own_cache)
    assert FIRST in sentence
    assert "0 to 9" in sentence


PICTURES = {
    "truncated": (GOOD[: len(GOOD) // 2], "damaged"),
    "nothing": (b"", "no PNG image"),
    "text": (b"nonsense", "no PNG image"),
    "jpeg": (encoded(Image.new("RGB", (32, 32)), "JPEG"), "no PNG image"),
    "33x32": (png(np.zeros((32, 33, 3), np.uint8)), "33x32 RGB"),
    "gray": (gray_png(), "32x32 L"),
    "huge": (huge_png(), ""),
}


@pytest.mark.parametrize(("picture", "told"), PICTURES.values(), ids=PICTURES)
def test_a_picture_that_will_not_do_is_told_in_parquet_and_in_folders(
    tmp_path: Path, copy: Path, tiny: Dataset, own_cache: Path, picture: bytes, told: str
) -> None:
    with_rows(copy / FIRST, **row(picture))
    sentence = refusal(copy, own_cache)
    assert FIRST in sentence
    assert told in sentence
    assert "0x" not in sentence
    folders = write_folders(tmp_path / "folders", tiny)
    (folders / "test" / "cat" / "00003.png").write_bytes(picture)
    sentence = refusal(folders, own_cache)
    assert "cat/00003.png" in sentence
    assert told in sentence
    assert "0x" not in sentence


def test_a_picture_cut_anywhere_is_damaged_or_whole() -> None:
    whole = decode_png(GOOD, "x")
    for length in range(len(GOOD)):
        try:
            found = decode_png(GOOD[:length], "x.png")
        except DataError as error:
            assert "x.png" in str(error)  # noqa: PT017 # most lengths are refused, not all
        else:
            assert (found == whole).all()


def test_a_missing_test_split_is_told(
    tmp_path: Path, copy: Path, tiny: Dataset, own_cache: Path
) -> None:
    (copy / "test-00000-of-00001.parquet").unlink()
    assert "64 + 0 images" in refusal(copy, own_cache)
    folders = write_folders(tmp_path / "folders", tiny)
    shutil.rmtree(folders / "test")
    assert "64 + 0 images" in refusal(folders, own_cache)


def test_a_missing_train_split_is_told(
    tmp_path: Path, copy: Path, tiny: Dataset, own_cache: Path
) -> None:
    for file in copy.glob("train*"):
        file.unlink()
    assert "is no copy of CIFAR-10" in refusal(copy, own_cache)
    folders = write_folders(tmp_path / "folders", tiny)
    shutil.rmtree(folders / "train")
    assert "is no copy of CIFAR-10" in refusal(folders, own_cache)


def test_an_archive_of_other_bytes_is_told_without_its_sum(tmp_path: Path, own_cache: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    for write in (archive_of_nothing, lambda path: path.write_bytes(b"")):
        write(archive)
        for place in (archive, tmp_path):
            sentence = refusal(place, own_cache)
            assert "cifar-10-python.tar.gz" in sentence
            assert ARCHIVE_SHA256[:16] in sentence
            assert file_sha256(archive)[:6] not in sentence


def test_the_answer_does_not_tell_what_is_there(tmp_path: Path, own_cache: Path) -> None:
    """A visitor may name any path of the server."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "note.txt").write_text("no archive")
    archive_of_nothing(tmp_path / "backup.tar.gz")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "circle").symlink_to("circle")
    answers = set()
    for place in ("folder", "note.txt", "backup.tar.gz", "fifo", "circle", "missing", "no/where"):
        sentence = refusal(tmp_path / place, own_cache)
        assert f"data = {tmp_path / place} is no copy of CIFAR-10 that can be read." in sentence
        answers.add(sentence.replace(str(tmp_path / place), "PLACE"))
    (answer,) = answers
    assert all(form in answer for form in ("cifar-10-python.tar.gz", "parquet", "trainLabels.csv"))


def test_a_wrong_cifar10_dir_is_told_by_its_name(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("missing", "empty"):
        monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / place))
        for ask in (open_dataset, is_ready, lambda: list(prepare())):
            with pytest.raises(DataError) as caught:
                ask()
            assert f"CIFAR10_DIR = {tmp_path / place}" in str(caught.value)


@pytest.mark.usefixtures("own_cache")
def test_without_any_data_the_three_ways_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "stats"]) == 2
    sentence = capsys.readouterr().err
    for way in ("data download", "--data FOLDER", "shapes10", "CIFAR10_DIR"):
        assert way in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize("in_the_way", ["", "decoded", "sources"])
def test_a_cache_that_cannot_be_written_is_told(
    copy: Path, own_cache: Path, in_the_way: str
) -> None:
    blocked = own_cache / in_the_way
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file in the way")
    with pytest.raises(DataError) as caught:
        open_at(copy)
    assert str(own_cache) in str(caught.value)
    assert "CIFAR_CACHE" in str(caught.value)


def test_a_full_disk_is_told_and_leaves_nothing(
    copy: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = np.save, []

    def full(file: Path, array: np.ndarray) -> None:
        calls.append(file)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        save(file, array)

    monkeypatch.setattr(store.np, "save", full)
    sentence = refusal(copy, own_cache)
    assert "No space left on device" in sentence
    assert "CIFAR_CACHE" in sentence
