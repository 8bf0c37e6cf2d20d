"""Modified copies: refused unless accepted, and never when they are pickled."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cifar_core.cli.main import main
from cifar_core.data import Dataset
from tests.cifar_forms import declare_official, open_at, refusal, write_archive, write_batches
from tests.made_up_data import write_parquet


@pytest.fixture
def copy(tmp_path: Path, tiny: Dataset, own_cache: Path) -> Path:
    """A sound copy in Parquet, and a cache that is empty."""
    return write_parquet(tmp_path / "copy", tiny)


def test_a_modified_copy_is_refused_with_its_counts_and_the_way_to_accept_it(
    copy: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = refusal(copy, own_cache, allow_modified=False)
    for text in (str(copy), "64 + 30", "50,000 + 10,000", "--allow-modified"):
        assert text in sentence
    assert main(["data", "prepare", "--data", str(copy)]) == 2
    assert capsys.readouterr().err.strip() == sentence
    assert main(["data", "prepare", "--data", str(copy), "--allow-modified"]) == 0
    assert "modified copy: 64 + 30 images" in capsys.readouterr().out


def test_one_changed_bit_is_a_modified_copy(
    tmp_path: Path, tiny: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_official(monkeypatch, tiny)
    images = tiny.test.images.copy()
    images[17, 5, 5, 1] ^= 1
    changed = replace(tiny, test=replace(tiny.test, images=images))
    other = write_parquet(tmp_path / "other", changed)
    assert "another fingerprint" in refusal(other, own_cache, allow_modified=False)
    labels = tiny.test.labels.copy()
    labels[17] ^= 1
    changed = replace(tiny, test=replace(tiny.test, labels=labels))
    other = write_parquet(tmp_path / "third", changed)
    assert "another fingerprint" in refusal(other, own_cache, allow_modified=False)
    assert not open_at(write_parquet(tmp_path / "copy", tiny), allow_modified=False).modified


@pytest.mark.parametrize("write", [write_batches, write_archive])
def test_modified_pickles_are_refused_whatever_one_accepts(
    tmp_path: Path,
    tiny: Dataset,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path, Dataset, pytest.MonkeyPatch], Path],
) -> None:
    path = write(tmp_path / "copy", tiny, monkeypatch)
    assert "Pickled copies must be the official ones" in refusal(path, own_cache)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def test_a_pickle_with_another_md5_sum_is_not_opened(tmp_path: Path, own_cache: Path) -> None:
    place = tmp_path / "copy" / "cifar-10-batches-py"
    place.mkdir(parents=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"]
    for name in names:
        (place / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    sentence = refusal(place.parent, own_cache)
    assert str(place) in sentence
    assert "md5" in sentence
    assert not (tmp_path / "sprung").exists()


def test_a_missing_batch_is_told(
    tmp_path: Path, tiny: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batches(tmp_path / "copy", tiny, monkeypatch)
    (tmp_path / "copy" / "cifar-10-batches-py" / "test_batch").unlink()
    assert "incomplete" in refusal(tmp_path / "copy", own_cache)
