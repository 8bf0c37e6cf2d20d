"""CIFAR-10 as PNG files: which are pictures, which are counted and left, and Kaggle's form."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data import CLASSES, Dataset, image_files
from cifar_core.data.image_files import unread_images
from tests.cifar_forms import declare_official, fingerprint_of, open_at, order_of, refusal
from tests.made_up_data import png, write_folders, write_parquet


def write_kaggle(folder: Path, data: Dataset, inner: str = "train") -> Path:
    """Writes the training images as Kaggle's competition has them, and test images without labels.

    Numbers start at 1; rows are in the order of the numbers, which is not that of the files' names.
    """
    place = folder / inner
    place.mkdir(parents=True)
    rows = ["id,label"]
    for number, (image, label) in enumerate(
        zip(data.train.images, data.train.labels, strict=True), 1
    ):
        (place / f"{number}.png").write_bytes(png(image))
        rows.append(f"{number},{CLASSES[label]}")
    (folder / "trainLabels.csv").write_text("\r\n".join(rows) + "\r\n")
    (folder / "test").mkdir()
    (folder / "test" / "1.png").write_bytes(b"never read")
    return folder


# Which files are pictures


def test_hidden_files_are_no_pictures_and_the_case_of_the_ending_does_not_matter(
    tmp_path: Path, tiny: Dataset, own_cache: Path
) -> None:
    folders = write_folders(tmp_path / "copy", tiny)
    for number, file in enumerate(sorted(folders.rglob("*.png"))):
        file.with_name(f"._{file.name}").write_bytes(b"what macOS adds")
        if number % 2:
            file.rename(file.with_suffix(".PNG"))
    found = open_at(folders)
    assert found.train.fingerprint == fingerprint_of(tiny.train)
    assert found.test.fingerprint == fingerprint_of(tiny.test)
    assert found.train.names is not None
    assert {str(name)[-4:] for name in found.train.names} == {".png", ".PNG"}


def test_images_of_other_kinds_are_counted_and_said(
    tmp_path: Path, tiny: Dataset, own_cache: Path
) -> None:
    folders = write_folders(tmp_path / "copy", tiny)
    for file in sorted(folders.rglob("*.png"))[:-2]:
        file.rename(file.with_suffix(".JPG"))
    (folders / "test" / "cat" / "a.webp").write_bytes(b"")
    (folders / "test" / "cat" / "notes.txt").write_bytes(b"")
    (folders / "test" / "cat" / "._b.jpg").write_bytes(b"")
    sentence = refusal(folders, own_cache, allow_modified=False)
    assert "92 .jpg and 1 .webp files in it were not read: only PNG is." in sentence
    for file in folders.rglob("*.png"):
        file.rename(file.with_suffix(".JPG"))
    assert "94 .jpg and 1 .webp files in it were not read" in refusal(folders, own_cache)
    assert unread_images([tmp_path / "missing"]) == ""


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "nothing", "long"])
def test_what_is_no_file_is_named_and_never_waited_for(
    tmp_path: Path, tiny: Dataset, own_cache: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = write_folders(tmp_path / "folders", tiny), write_parquet(tmp_path / "parquet", tiny)
    monkeypatch.setattr(image_files, "_MAX_BYTES", 10_000)
    for copy, name in zip(copies, ("cat/00003.png", "test-00000-of-00001.parquet"), strict=True):
        file = copy / "test" / name if name.endswith("png") else copy / name
        file.unlink()
        if kind == "fifo":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        elif kind == "long":
            file.write_bytes(bytes(20_000))
        else:
            file.symlink_to("/dev/zero" if kind == "device" else "nothing")
        assert name.split("/")[0] in refusal(copy, own_cache).replace(str(copy), name)


# Kaggle's competition


@pytest.mark.parametrize("inner", ["train", "train/train"])
@pytest.mark.parametrize("asked", ["", "cifar-10"])
def test_training_images_of_kaggle_are_known_by_their_fingerprint(
    tmp_path: Path,
    tiny: Dataset,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    inner: str,
    asked: str,
) -> None:
    copy = tmp_path / "copy"
    write_kaggle(copy / asked, tiny, inner)
    sentence = refusal(copy, own_cache, allow_modified=False)
    assert "has 64 training images from Kaggle, not the 50,000 of CIFAR-10" in sentence
    declare_official(monkeypatch, tiny)
    sentence = refusal(copy, own_cache, allow_modified=False)
    assert "has 64 training images from Kaggle, all of CIFAR-10" in sentence
    for part in ("no labels for the test images", "every fifth", "--allow-modified", "Download"):
        assert part in sentence


def test_of_kaggles_images_every_fifth_becomes_the_test_split(
    tmp_path: Path, tiny: Dataset, own_cache: Path
) -> None:
    found = open_at(write_kaggle(tmp_path / "copy", tiny))
    assert found.title == "CIFAR-10 (modified copy: 51 + 13 images)"
    order = np.asarray(order_of(tiny.train))
    held_out = np.arange(64) % 5 == 0
    for split, rows in ((found.train, order[~held_out]), (found.test, order[held_out])):
        np.testing.assert_array_equal(split.images, tiny.train.images[rows])
        np.testing.assert_array_equal(split.labels, tiny.train.labels[rows])
        assert split.names is not None
        assert split.names.tolist() == [f"{row + 1}.png" for row in rows]
    assert open_at(tmp_path / "copy", allow_modified=False).modified, "it was accepted before"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("", "does not begin with id,label"),
        ("a,b\n1,frog\n", "does not begin with id,label"),
        ("id,label\n1,frog\n2\n", "Row 3"),
        ("id,label\n1,lion\n", "Row 2 of trainLabels.csv"),
        ("id,label\n../1,frog\n", "Row 2"),
        ("id,label\n99999,frog\n", "train/99999.png cannot be read"),
        ("id,label\n1," + "x" * 200_000, "does not begin with id,label"),
        ("id,label\n", "has 0 training images"),
        ("id,label\n1,frog\n", "Both a train and a test split are needed"),
    ],
)
def test_labels_that_do_not_fit_are_told(
    tmp_path: Path, tiny: Dataset, own_cache: Path, labels: str, told: str
) -> None:
    copy = write_kaggle(tmp_path / "copy", tiny)
    (copy / "trainLabels.csv").write_text(labels)
    assert told in refusal(copy, own_cache)


def test_kaggles_other_images_are_counted(tmp_path: Path, tiny: Dataset, own_cache: Path) -> None:
    copy = write_kaggle(tmp_path / "copy", tiny)
    shutil.copy(copy / "train" / "1.png", copy / "train" / "1.jpeg")
    assert "1 .jpeg files in it were not read" in refusal(copy, own_cache, allow_modified=False)
