"""Downloads from a real server: from the beginning, from a part, again; CIFAR-10 by name."""

import hashlib
import time
from pathlib import Path

import pytest

from cifar_core.data.download import (
    ARCHIVE_URL,
    HUB_FILES,
    Progress,
    download_cifar10,
    download_file,
)
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


def test_downloads_and_reports(site: Site, target: Path) -> None:
    reports = fetch(site, target)
    assert target.read_bytes() == BODY
    assert reports[0] == Progress("Downloading file.bin", 0, len(BODY), "bytes")
    assert reports[-1] == Progress("Downloaded file.bin", len(BODY), len(BODY), "bytes")
    assert leftovers(target) == set()


def test_reports_about_ten_times_a_second(site: Site, target: Path) -> None:
    site.plan = [Answer(pause_s=0.03)]  # 16 pieces: half a second
    began = time.monotonic()
    reports = fetch(site, target)
    assert 5 <= len(reports) <= 10 * (time.monotonic() - began) + 4
    assert [r.done for r in reports] == sorted(r.done for r in reports)


@pytest.mark.parametrize("sha256", [SHA256, None])
def test_a_file_that_is_there_is_not_fetched(site: Site, target: Path, sha256: str | None) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY)
    (report,) = fetch(site, target, sha256)
    assert (report.done, report.total) == (len(BODY), len(BODY))
    assert site.asked == []


def test_a_wrong_file_that_is_there_is_replaced(site: Site, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(OTHER)
    fetch(site, target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"one"'},
        {"ETag": 'W/"one"', "Last-Modified": "Tue, 01 Jan 2019 00:00:00 GMT"},
    ],
)
def test_goes_on_after_a_broken_connection(
    site: Site, target: Path, headers: dict[str, str]
) -> None:
    site.plan = [Answer(headers=headers, stop_after=HALF), Answer(headers=headers)]
    fetch(site, target)
    assert target.read_bytes() == BODY
    assert site.asked[1][1] == f"bytes={HALF}-"
    assert site.sent == [HALF, HALF]


def test_goes_on_after_a_stall(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=HALF, stall=True)]
    fetch(site, target, timeout_s=0.3)
    assert target.read_bytes() == BODY
    assert site.sent == [HALF, HALF]


def test_starts_over_where_ranges_are_unknown(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=HALF), Answer(knows_ranges=False)]
    fetch(site, target)
    assert target.read_bytes() == BODY
    assert site.sent == [HALF, len(BODY)]


def test_starts_over_where_versions_have_no_name(site: Site, target: Path) -> None:
    site.plan = [Answer(headers={}, stop_after=HALF)]
    fetch(site, target)
    assert site.asked[1][1] is None
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("checks_if_range", [True, False])
def test_starts_over_when_the_file_has_changed(
    site: Site, target: Path, checks_if_range: bool
) -> None:
    new = Answer(body=OTHER, headers={"ETag": '"two"'}, checks_if_range=checks_if_range)
    site.plan = [Answer(stop_after=HALF), new, new]
    fetch(site, target, hashlib.sha256(OTHER).hexdigest())
    assert target.read_bytes() == OTHER


def test_a_refused_range_starts_over(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=HALF), Answer(status=416, body=b"", knows_ranges=False)]
    fetch(site, target)
    assert target.read_bytes() == BODY


def test_works_without_a_length(site: Site, target: Path) -> None:
    site.plan = [Answer(says_length=False)]
    reports = fetch(site, target)
    assert reports[0].total is None
    assert target.read_bytes() == BODY


def test_closing_keeps_the_part_and_the_next_call_goes_on(site: Site, target: Path) -> None:
    site.plan = [Answer(pause_s=0.02)]
    steps = download_file(f"{site.url}/file.bin", target, sha256=SHA256)
    assert any(step.done > 0 for step in steps)
    steps.close()  # pyright: ignore[reportAttributeAccessIssue] # a generator
    kept = (target.parent / "file.bin.part").stat().st_size
    assert 0 < kept < len(BODY)
    fetch(site, target)
    assert target.read_bytes() == BODY
    assert site.sent[1] == len(BODY) - kept


def test_a_complete_part_needs_no_further_byte(site: Site, target: Path) -> None:
    steps = download_file(f"{site.url}/file.bin", target, sha256=SHA256)
    assert any(step.stage.startswith("Verifying") for step in steps)
    steps.close()  # pyright: ignore[reportAttributeAccessIssue] # a generator
    fetch(site, target)
    assert target.read_bytes() == BODY
    assert len(site.asked) == 1


def test_a_part_of_another_address_is_not_continued(site: Site, target: Path) -> None:
    site.plan = [Answer(stop_after=HALF)]
    with pytest.raises(DataError):
        fetch(site, target, max_attempts=1)
    list(download_file(f"{site.url}/mirror/file.bin", target, sha256=SHA256))
    assert site.asked[1] == ("/mirror/file.bin", None)
    assert target.read_bytes() == BODY


def test_hub_fetches_both_files(site: Site, tmp_path: Path) -> None:
    reports = list(download_cifar10(tmp_path, "hub", site.url))
    assert [path for path, _ in site.asked] == [f"/{name}" for name in HUB_FILES]
    assert all((tmp_path / name).read_bytes() == BODY for name in HUB_FILES)
    assert reports[-1].stage == f"Downloaded {HUB_FILES[1]}"


def test_archive_is_compared_with_the_official_sum(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="SHA-256"):
        list(download_cifar10(tmp_path, "archive", f"{site.url}/mirror/"))
    assert site.asked == [(f"/mirror/{ARCHIVE_URL.rsplit('/', 1)[1]}", None)]


def test_unknown_origin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'ftp'.*archive, hub"):
        list(download_cifar10(tmp_path, "ftp"))
