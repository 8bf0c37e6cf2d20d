"""Downloads against a real server that breaks, lies, stalls and changes its mind."""

import contextlib
import errno
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cifar_core.data import transfer
from cifar_core.data.download import (
    ARCHIVE_URL,
    HUB_FILES,
    Progress,
    download_cifar10,
    download_file,
)
from cifar_core.errors import DataError

BODY = bytes(range(256)) * 1000
OTHER = BODY[::-1]
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2


@dataclass(frozen=True)
class Answer:
    """How the server treats one request."""

    status: int = 200
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    stop_after: int | None = None  # bytes, then the connection closes
    stall: bool = False  # stays open and silent instead of closing
    pause_s: float = 0.0  # before each 16 kB
    knows_ranges: bool = True
    checks_if_range: bool = True
    says_length: bool = True


class Site(ThreadingHTTPServer):
    """Gives the planned answers in turn, then plain ones; remembers what was asked and sent."""

    daemon_threads = False  # so that server_close joins them

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan: list[Answer] = []
        self.asked: list[tuple[str, str | None]] = []  # path, Range
        self.sent: list[int] = []  # bytes of body per answer
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        answer = self.server.plan.pop(0) if self.server.plan else Answer()
        self.server.asked.append((self.path, self.headers["Range"]))
        self.server.sent.append(0)
        with contextlib.suppress(ConnectionError):
            self.answer(answer, self.start_of(answer))

    def start_of(self, answer: Answer) -> int:
        names = (answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
        same = self.headers["If-Range"] in names or not answer.checks_if_range
        if not (self.headers["Range"] and answer.knows_ranges and same):
            return 0
        return int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))

    def answer(self, answer: Answer, start: int) -> None:
        self.send_response(206 if start else answer.status)
        if start:
            last = len(answer.body) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
        if answer.says_length:
            self.send_header("Content-Length", str(len(answer.body) - start))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        rest = answer.body[start:][: answer.stop_after]
        for at in range(0, len(rest), 1 << 14):
            time.sleep(answer.pause_s)
            self.server.sent[-1] += self.wfile.write(rest[at : at + (1 << 14)])
        if answer.stall:
            self.server.over.wait(10)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "file.bin"


def fetch(site: Site, target: Path, sha256: str | None = SHA256, **how: Any) -> list[Progress]:
    settings: dict[str, Any] = {"timeout_s": 5, "wait_s": 0.01, **how}
    return list(download_file(f"{site.url}/file.bin", target, sha256=sha256, **settings))


def leftovers(target: Path) -> set[str]:
    """What lies in the folder apart from the target and its lock."""
    return {p.name for p in target.parent.iterdir()} - {target.name, f"{target.name}.lock"}


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
    steps.close()  # pyright: ignore[reportAttributeAccessIssue]
    kept = (target.parent / "file.bin.part").stat().st_size
    assert 0 < kept < len(BODY)
    fetch(site, target)
    assert target.read_bytes() == BODY
    assert site.sent[1] == len(BODY) - kept


def test_a_complete_part_needs_no_further_byte(site: Site, target: Path) -> None:
    steps = download_file(f"{site.url}/file.bin", target, sha256=SHA256)
    assert any(step.stage.startswith("Checking") for step in steps)
    steps.close()  # pyright: ignore[reportAttributeAccessIssue]
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
    with pytest.raises(DataError, match=rf"{status}.*3 times in a row.*0 bytes"):
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
