"""Data: whatever form a copy comes in, it opens to the same images in the same order."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.data import CLASSES, Dataset, open_dataset
from cifar_core.data.dataset import histogram_of
from tests.cifar_forms import (
    declare_official,
    digests_of,
    fingerprint_of,
    open_at,
    order_of,
    snapshot,
    write_archive,
    write_batches,
)
from tests.made_up_data import write_folders, write_parquet

pytestmark = pytest.mark.usefixtures("own_cache")


def assert_opened(found: Dataset, made: Dataset) -> None:
    """Byte for byte what was made, sorted by digest."""
    for got, want in ((found.train, made.train), (found.test, made.test)):
        order = order_of(want)
        np.testing.assert_array_equal(got.images, want.images[order])
        np.testing.assert_array_equal(got.labels, want.labels[order])
        np.testing.assert_array_equal(got.histogram, want.histogram)
        assert got.fingerprint == fingerprint_of(want)
        assert (got.images.dtype, got.labels.dtype) == (np.uint8, np.uint8)
    assert found.classes == CLASSES


@pytest.mark.parametrize("num_shards", [1, 2, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_parquet_of_any_shards_and_row_order(
    tmp_path: Path, tiny: Dataset, num_shards: int, seed: int
) -> None:
    assert_opened(open_at(write_parquet(tmp_path / "copy", tiny, num_shards, seed)), tiny)


def test_class_folders(tmp_path: Path, tiny: Dataset) -> None:
    assert_opened(open_at(write_folders(tmp_path / "copy", tiny)), tiny)


def test_pickled_batches(tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_official(monkeypatch, tiny)
    folder = write_batches(tmp_path / "copy", tiny, monkeypatch)
    for place in (folder, folder / "cifar-10-batches-py"):
        found = open_at(place, allow_modified=False)
        assert_opened(found, tiny)
        assert not found.modified
        assert found.title == "CIFAR-10"


def test_pickled_batches_in_a_folder_of_another_name(
    tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    folder = write_batches(tmp_path / "copy", tiny, monkeypatch)
    moved = (folder / "cifar-10-batches-py").rename(tmp_path / "my-cifar")
    assert_opened(open_at(moved, allow_modified=False), tiny)


def test_the_archive(tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_official(monkeypatch, tiny)
    archive = write_archive(tmp_path, tiny, monkeypatch)
    shutil.rmtree(tmp_path / "unpacked")
    assert_opened(open_at(archive, allow_modified=False), tiny)
    assert_opened(open_at(tmp_path, allow_modified=False), tiny)


@pytest.mark.parametrize("below", ["", "plain_text", "data", "cifar10", "snapshots/1ab/plain_text"])
def test_folders_in_which_downloads_put_the_files(
    tmp_path: Path, tiny: Dataset, below: str
) -> None:
    write_parquet(tmp_path / "copy" / below, tiny)
    assert_opened(open_at(tmp_path / "copy"), tiny)


@pytest.mark.parametrize("asked", ["", "datasets", "datasets/cifar-10-batches-py-target"])
@pytest.mark.parametrize("unpacked", [True, False])
def test_the_cache_of_keras_3(
    tmp_path: Path,
    tiny: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    unpacked: bool,
) -> None:
    """~/.keras, or what lies in it; the archive has a name without an ending."""
    declare_official(monkeypatch, tiny)
    folder = tmp_path / "datasets" / "cifar-10-batches-py-target"
    folder.parent.mkdir()
    archive = write_archive(tmp_path / "datasets", tiny, monkeypatch)
    archive = archive.rename(folder.with_name(f"{folder.name}_archive"))
    if unpacked:
        (tmp_path / "datasets" / "unpacked").rename(folder)
    elif asked.endswith("target"):
        folder = archive
    place = folder if asked.endswith("target") else tmp_path / asked
    found = open_at(place, allow_modified=False)
    assert_opened(found, tiny)
    assert "cifar-10-batches-py-target" in found.origin


def test_all_forms_have_one_fingerprint(
    tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    copies = [
        write_parquet(tmp_path / "parquet", tiny, 3, seed=4),
        write_folders(tmp_path / "folders", tiny),
        write_batches(tmp_path / "batches", tiny, monkeypatch),
    ]
    expected = fingerprint_of(tiny.train)[:16] + fingerprint_of(tiny.test)[:16]
    for copy in copies:
        found = open_at(copy, allow_modified=False)
        assert found.fingerprint == expected
        assert not found.modified


def test_cifar10_dir_is_found_and_may_begin_with_a_tilde(
    tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    write_parquet(tmp_path / "copy", tiny)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CIFAR10_DIR", "~/copy")
    assert_opened(open_dataset(), tiny)


def test_decoded_data_stay_when_their_source_is_gone(
    tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    copy = write_parquet(tmp_path / "copy", tiny)
    open_at(copy, allow_modified=False)
    shutil.rmtree(copy)
    assert_opened(open_dataset("cifar10"), tiny)


def test_a_modified_copy_says_so_everywhere(tmp_path: Path, tiny: Dataset) -> None:
    found = open_at(write_parquet(tmp_path / "copy", tiny))
    assert found.modified
    assert found.title == "CIFAR-10 (modified copy: 64 + 30 images)"
    assert str(tmp_path / "copy") in found.origin


def test_the_source_is_only_read(
    tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    copies = [
        write_parquet(tmp_path / "parquet", tiny),
        write_folders(tmp_path / "folders", tiny),
        write_batches(tmp_path / "batches", tiny, monkeypatch),
    ]
    for copy in copies:
        before = snapshot(copy)
        open_at(copy)
        assert snapshot(copy) == before


def test_images_are_memory_mapped_and_read_only(tmp_path: Path, tiny: Dataset) -> None:
    images = open_at(write_parquet(tmp_path / "copy", tiny)).train.images
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


def test_shapes10_opens_with_masks_and_in_the_order_of_digests(
    monkeypatch: pytest.MonkeyPatch, shared_cache: Path
) -> None:
    monkeypatch.setenv("CIFAR_CACHE", str(shared_cache))
    data = open_dataset("shapes10")
    assert data.title == data.name == "Shapes-10"
    assert (len(data.train), len(data.test)) == (20_000, 2_000)
    assert len(data.classes) == 10
    for split in (data.train, data.test):
        assert split.counts.tolist() == [len(split) // 10] * 10
        assert split.masks is not None
        assert split.masks.shape == (len(split), 32, 32)
        digests = digests_of(split)
        assert digests == sorted(digests)
        assert len(set(digests)) == len(split)
        assert split.fingerprint == fingerprint_of(split)
        np.testing.assert_array_equal(split.histogram, histogram_of(split.images))
    # Masks moved with their images: inside and outside of an object differ in color.
    masks, images = data.test.masks, data.test.images.astype(float)
    assert masks is not None
    inside = np.array([image[mask].mean(axis=0) for image, mask in zip(images, masks, strict=True)])
    outside = np.array([im[~mask].mean(axis=0) for im, mask in zip(images, masks, strict=True)])
    assert (np.abs(inside - outside).max(axis=1) > 15).mean() > 0.99


def test_names_of_files_go_with_their_images(tmp_path: Path, tiny: Dataset) -> None:
    """Images are sorted by digest; each keeps the name of the very file it was read from."""
    folder = write_folders(tmp_path / "copy", tiny)
    opened = open_at(folder)
    for split, name in ((opened.train, "train"), (opened.test, "test")):
        assert split.names is not None
        for index in range(0, len(split), 7):
            file = folder / name / str(split.names[index])
            with Image.open(file) as picture:
                assert (np.asarray(picture) == split.images[index]).all()
            assert str(split.names[index]).startswith(CLASSES[split.labels[index]] + "/")


def test_other_forms_have_no_names(tmp_path: Path, tiny: Dataset) -> None:
    assert open_at(write_parquet(tmp_path / "copy", tiny)).train.names is None
