"""The cache: decoded once, found again, decoded anew when its source changed."""

import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cifar_core.data import Dataset, is_ready, open_dataset, prepare, store
from cifar_core.errors import DataError
from tests.another_user import as_nobody
from tests.cifar_forms import decoded, fingerprint_of, open_at
from tests.made_up_data import made_up, made_up_split, png, write_folders, write_parquet


@pytest.fixture
def copy(tmp_path: Path, tiny: Dataset, own_cache: Path) -> Path:
    """A sound copy in Parquet, and a cache that is empty."""
    return write_parquet(tmp_path / "copy", tiny)


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_split(*arguments: object, **named: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(store, "read_split", read_split)


def test_a_copy_is_decoded_once(
    copy: Path, tiny: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_ready(str(copy))
    open_at(copy)
    assert is_ready(str(copy))
    forbid_decoding(monkeypatch)
    again = open_at(copy, allow_modified=False)
    assert again.train.fingerprint == fingerprint_of(tiny.train)
    assert again.modified
    assert len(decoded(own_cache)) == 1


def test_progress_counts_every_image(copy: Path) -> None:
    steps = list(prepare(str(copy), allow_modified=True))
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == 94
    assert all(step.total is not None and step.done <= step.total for step in steps)
    assert list(prepare(str(copy))) == []


def test_giving_up_half_way_leaves_nothing(copy: Path, own_cache: Path) -> None:
    going = prepare(str(copy), allow_modified=True)
    next(iter(going))
    assert hasattr(going, "close")
    going.close()  # pyright: ignore[reportAttributeAccessIssue] # a generator, see above
    assert decoded(own_cache) == []
    assert not is_ready(str(copy))


def test_another_time_or_size_is_another_source(
    copy: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at(copy)
    file = copy / "test-00000-of-00001.parquet"
    facts = file.stat()
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000_000))
    assert not is_ready(str(copy))
    with pytest.raises(DataError, match="--allow-modified"):
        open_at(copy, allow_modified=False)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert is_ready(str(copy))


def test_a_changed_source_is_decoded_again(tmp_path: Path, copy: Path, tiny: Dataset) -> None:
    before = open_at(copy)
    changed = replace(tiny, test=made_up_split(31, 5))
    write_parquet(copy, changed)
    after = open_at(copy)
    assert (len(before.test), len(after.test)) == (30, 31)
    assert after.test.fingerprint == fingerprint_of(changed.test)
    assert after.train.fingerprint == before.train.fingerprint


def test_a_picture_more_in_a_class_folder_is_seen(
    tmp_path: Path, tiny: Dataset, own_cache: Path
) -> None:
    folders = write_folders(tmp_path / "folders", tiny)
    open_at(folders)
    other = made_up(1, 1).test.images[0] ^ 255
    (folders / "train" / "frog" / "new.png").write_bytes(png(other))
    assert not is_ready(str(folders))
    assert len(open_at(folders).train) == 65


def test_two_modified_copies_do_not_meet(tmp_path: Path, copy: Path, own_cache: Path) -> None:
    other = write_parquet(tmp_path / "other", made_up(40, 20))
    assert len(open_at(copy).train) == 64
    assert len(open_at(other).train) == 40
    assert len(open_at(copy).train) == 64
    assert len(decoded(own_cache)) == 2


@pytest.mark.parametrize("damage", ["meta", "meta empty", "labels", "images"])
def test_damaged_decoded_data_are_decoded_again_or_told(
    copy: Path, tiny: Dataset, own_cache: Path, damage: str
) -> None:
    open_at(copy)
    folder = own_cache / "decoded" / decoded(own_cache)[0]
    if damage == "meta":
        (folder / "meta.json").unlink()
    elif damage == "meta empty":
        (folder / "meta.json").write_text("")
    elif damage == "labels":
        (folder / "train-labels.npy").unlink()
    else:
        os.truncate(folder / "train-images.npy", 1000)
    try:
        found = open_at(copy)
    except DataError as error:
        assert str(folder) in str(error)  # noqa: PT017 # either of two good ends
    else:
        assert found.train.fingerprint == fingerprint_of(tiny.train)
        assert len(found.train.images) == 64


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_umask_says_who_may_read_the_cache(copy: Path, own_cache: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        open_at(copy)
    finally:
        os.umask(before)
    made = [path for path in own_cache.rglob("*") if path.is_dir() or path.name == "meta.json"]
    assert {path.name for path in made} >= {"decoded", "sources", "meta.json"}
    for path in made:
        full = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == full & ~umask, path


@pytest.mark.parametrize("closed", ["", "decoded", "decoded/KEY", "sources", "decoded/KEY/*.npy"])
def test_a_cache_that_may_not_be_read_is_told(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    with tempfile.TemporaryDirectory() as name:  # the folders of pytest are closed to others
        cache = Path(name) / "cache"
        Path(name).chmod(0o755)
        monkeypatch.setenv("CIFAR_CACHE", str(cache))
        copy = str(write_parquet(Path(name) / "copy", tiny))
        open_at(Path(copy))
        for place in cache.glob(closed.replace("KEY", decoded(cache)[0])) if closed else [cache]:
            place.chmod(0)
        with as_nobody(), pytest.raises(DataError) as caught:
            open_dataset(copy)
        for place in cache.rglob("*"):
            place.chmod(0o755)
        cache.chmod(0o755)
    assert str(cache) in str(caught.value)
    assert "another user's" in str(caught.value)
    assert "set CIFAR_CACHE" in str(caught.value)


def test_processes_that_prepare_at_once_all_succeed(copy: Path, own_cache: Path) -> None:
    command = [sys.executable, "-m", "cifar_core", "data", "prepare", "--allow-modified"]
    processes = [
        subprocess.Popen([*command, "--data", str(copy)], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert len(decoded(own_cache)) == 1
    assert len(open_at(copy).train) == 64
