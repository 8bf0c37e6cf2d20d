"""Where CIFAR-10 is looked for, in order, and what is said when it is not there."""

from pathlib import Path

import pytest

from cifar_core.data import Dataset
from cifar_core.data.locate import complete, find_source
from cifar_core.errors import DataError
from tests.made_up_data import write_folders


def test_the_environment_comes_before_the_cache(
    own_cache: Path, tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded = write_folders(own_cache / "downloads", tiny)
    found = find_source("cifar10")
    assert found is not None
    assert found.path == downloaded
    copy = write_folders(tmp_path / "copy", tiny)
    monkeypatch.setenv("CIFAR10_DIR", str(copy))
    found = find_source("cifar10")
    assert found is not None
    assert found.path == copy


def test_what_is_decoded_needs_no_source(own_cache: Path) -> None:
    decoded = own_cache / "decoded" / "cifar10"
    decoded.mkdir(parents=True)
    assert complete(decoded) is None
    with pytest.raises(DataError, match=r"CIFAR-10 not found.*data download.*--data shapes10"):
        find_source("cifar10")
    (decoded / "meta.json").touch()
    assert complete(decoded) == decoded
    assert find_source("cifar10") is None


def test_a_path_is_that_folder_also_with_a_tilde(
    own_cache: Path, tmp_path: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = write_folders(tmp_path / "copy", tiny)
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in (str(copy), "~/copy"):
        found = find_source(text)
        assert found is not None
        assert found.path == copy


def test_what_is_not_there_or_holds_nothing_is_named(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"data = .*missing is no copy of CIFAR-10 .* Accepted: "):
        find_source(str(tmp_path / "missing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"data = .*empty is no copy of CIFAR-10 .* Accepted: "):
        find_source(str(tmp_path / "empty"))
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "missing"))
    with pytest.raises(DataError, match=r"CIFAR10_DIR = .*missing is no copy of CIFAR-10"):
        find_source("cifar10")
