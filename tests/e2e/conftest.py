"""A real server with places of its own, and headless Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cifar_core.runs.store import Run, list_runs
from cifar_core.system.paths import repository
from cifar_core.system.process_identity import find_process
from tests.e2e.script_runs import follow_scripts
from tests.waiting import LIMIT_S, wait_until

LIMIT_MS = LIMIT_S * 1000
expect.set_options(timeout=LIMIT_MS)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)


@dataclass
class Server:
    """The app as `make run` starts it, on a port and places of its own."""

    folder: Path
    port: int
    env: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def command(self) -> list[str]:
        """What Python runs."""
        return ["-m", "cifar_core.serve", "--no-browser", "--port", str(self.port)]

    def start(self) -> None:
        places = {"CIFAR_CACHE": str(self.folder / "cache"), "CIFAR_RUNS": str(self.runs)}
        inherited = {k: v for k, v in os.environ.items() if k != "CIFAR10_DIR"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command()],
                cwd=repository(),
                env={**inherited, **places, **self.env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, lambda: (self.folder / "server.log").read_text())

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=LIMIT_S) as answer:
                return answer.read() == b"ok"
        except OSError:
            return False

    def kill(self, number: int = signal.SIGKILL) -> None:
        """As a power switch would: the whole session of the server, with -9 or another signal."""
        assert self.process is not None
        os.killpg(self.process.pid, number)
        self.process.wait(LIMIT_S)
        wait_until(lambda: not self._answers())  # a large process takes a moment to go


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """An app without data and without runs; or the server that is the parameter."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started: Server = getattr(request, "param", Server)(tmp_path, port)
    started.start()
    yield started
    started.kill()
    for run in list_runs(started.runs, Run):
        if process := find_process(run.status.worker):
            process.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield launched
        launched.close()


def new_window(browser: Browser, width: int = 1280, height: int = 1200, **options: Any) -> Page:
    """A page in a fresh window that waits as long as all tests do; close its `context`."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    follow_scripts(page)
    return page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser window on a desktop's width; any red box on the last page fails the test."""
    opened = new_window(browser)
    yield opened
    expect(opened.get_by_test_id("stException")).to_have_count(0)
    opened.context.close()
