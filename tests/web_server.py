"""A web server for tests that breaks, lies, stalls and changes its mind."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cifar_core.data.download import Progress, download_file
from tests.waiting import LIMIT_S

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
    server: Site  # pyright: ignore[reportIncompatibleVariableOverride] # ours

    def do_GET(self) -> None:
        answer = self.server.plan.pop(0) if self.server.plan else Answer()
        self.server.asked.append((self.path, self.headers["Range"]))
        self.number = len(self.server.sent)  # another answer may begin before this one has ended
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
            self.server.sent[self.number] += self.wfile.write(rest[at : at + (1 << 14)])
        if answer.stall:
            self.server.over.wait(LIMIT_S)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """For a fixture: a server that answers until the end of the test."""
    monkeypatch.setenv("no_proxy", "*")
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def path_below(tmp_path: Path) -> Path:
    """For a fixture: where a download goes, in a folder that is not there yet."""
    return tmp_path / "folder" / "file.bin"


def fetch(site: Site, target: Path, sha256: str | None = SHA256, **how: Any) -> list[Progress]:
    """Downloads the site's file, in a hurry; what was reported."""
    settings: dict[str, Any] = {"timeout_s": LIMIT_S, "wait_s": 0.01, **how}
    return list(download_file(f"{site.url}/file.bin", target, sha256=sha256, **settings))


def leftovers(target: Path) -> set[str]:
    """What lies in the folder apart from the target and its lock."""
    return {p.name for p in target.parent.iterdir()} - {target.name, f"{target.name}.lock"}
