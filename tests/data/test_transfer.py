"""Downloads that cannot go on: what is tried again and for how long, what is told."""

import errno
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from cifar_core.data import transfer
from cifar_core.data.download import download_file
from cifar_core.errors import DataError
from tests.web_server import (
    BODY,
    HALF,
    OTHER,
    SHA256,
    Answer,
    Site,
    fetch,
    leftovers,
    path_below,
    serving,
)

site = pytest.fixture(serving)
target = pytest.fixture(path_below)


@pytest.mark.parametrize("body", [OTHER, BODY[:-1]], ids=["wrong", "short"])
def test_wrong_bytes_are_deleted_and_named(site: Site, target: Path, body: bytes) -> None:
    site.plan = [Answer(body=body)]
    found = hashlib.sha256(body).hexdigest()
    with pytest.raises(DataError, match=rf"{found}.*{SHA256}.*Download again"):
        fetch(site, target)
    assert not target.exists()
    assert leftovers(target) == set()


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(site: Site, target: Path, status: int) -> None:
    site.plan = [Answer(status=status)]
    with pytest.raises(DataError, match=rf"{site.url}/file.bin .*{status}.*Check the address"):
        fetch(site, target)
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_troubles_are_tried_again_but_not_for_ever(
    site: Site, target: Path, status: int
) -> None:
    site.plan = [Answer(status=status)] * 2
    fetch(site, target, max_attempts=3)
    target.unlink()
    site.plan = [Answer(status=status)] * 3
    with pytest.raises(DataError, match=rf"{status}.*3 times in a row.*after 0 bytes"):
        fetch(site, target, max_attempts=3)


def test_new_bytes_renew_the_attempts(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=len(BODY) // 8)] * 7
    fetch(site, target, max_attempts=2)
    assert target.read_bytes() == BODY
    assert len(site.asked) == 8


def test_the_same_bytes_again_do_not_renew_the_attempts(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=HALF, knows_ranges=False)] * 9
    with pytest.raises(DataError, match=f"ended after {HALF:,} of {len(BODY):,} bytes, 3 times"):
        fetch(site, target, max_attempts=3)


def test_waits_grow_and_are_reported(site: Site, target: Path) -> None:
    site.plan = [Answer(status=500)] * 2
    began = time.monotonic()
    reports = fetch(site, target, wait_s=0.2)
    assert 0.6 <= time.monotonic() - began < 3
    assert sum(r.stage.startswith("Waiting") for r in reports) >= 6


def test_an_unreachable_server_is_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with Site() as gone:
        url = f"{gone.url}/file.bin"
    with pytest.raises(DataError, match=rf"{url} .*refused.*HTTPS_PROXY"):
        list(download_file(url, target, max_attempts=2, wait_s=0.01))


def test_only_one_download_of_a_file_at_a_time(site: Site, target: Path) -> None:
    site.plan = [Answer(pause_s=0.01)]
    first = download_file(f"{site.url}/file.bin", target, sha256=SHA256)
    next(first)
    with pytest.raises(DataError, match="already running"):
        fetch(site, target)
    list(first)
    assert target.read_bytes() == BODY


def test_a_full_disk_is_named_and_the_part_kept(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, blocks = transfer._read, iter([1])

    def read_one(response: Any) -> bytes:
        if next(blocks, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return read(response)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_read", read_one)
        with pytest.raises(DataError, match=rf"{target.parent} is full: [\d,]+ more bytes"):
            fetch(site, target)
    fetch(site, target)
    assert site.asked[1][1] is not None


def test_a_folder_that_cannot_be_written_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(DataError, match=r"cannot be written to .*folder"):
        fetch(site, tmp_path / "folder" / "file.bin")


def test_other_kinds_of_address_are_refused(target: Path) -> None:
    with pytest.raises(DataError, match="http"):
        list(download_file("file:///etc/hostname", target))
