"""A real server of an app, and viewers that speak Streamlit's protocol as a browser does."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cifar_core.system.paths import repository

START_S, ANSWER_S, IDLE_PERCENT = 60.0, 120.0, 5.0
ENTRY = "app.py"


@contextlib.contextmanager
def serving(
    folder: Path, entry: Path | None = None, *, warm: bool = False, **env: str
) -> Iterator[int]:
    """The port of a fresh server with runs and cache in `folder`; of the app, or of another one.

    Args:
        warm: Wait until it has imported what it imports in the background.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = entry or repository() / ENTRY
    places = {"CIFAR_RUNS": str(folder / "runs"), "CIFAR_CACHE": str(folder / "cache")}
    flags = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *flags],
            cwd=script.parent,
            env={**os.environ, **places, "PYTHONPATH": str(repository()), **env},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, folder / "server.log")
        if warm:
            _warm_up(port, process.pid)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"The server did not answer:\n{log.read_text('utf-8')}")


def _warm_up(port: int, pid: int) -> None:
    import psutil

    Viewer(port).open()
    server, until = psutil.Process(pid), time.monotonic() + START_S
    while server.cpu_percent(2.0) > IDLE_PERCENT and time.monotonic() < until:
        pass


class Viewer:
    """One session in a browser's place.

    Attributes:
        elements: What the last answer drew, as Streamlit's messages.
        fragments: Those that refresh by themselves, with their interval in seconds.
    """

    def __init__(self, port: int, page: str = "", query: str = "") -> None:
        from websockets.sync.client import connect
        from websockets.typing import Subprotocol

        url = f"ws://127.0.0.1:{port}/_stcore/stream"
        protocols = [Subprotocol("streamlit")]
        self.socket = connect(url, subprotocols=protocols, max_size=None, compression=None)
        self.query, self.page, self.page_hash = query, page, ""
        self.hashes: set[str] = set()
        self.fragments: dict[str, float] = {}
        self.elements: list[Any] = []

    def open(self, page: str | None = None, query: str | None = None) -> float:
        """Seconds until a page was drawn as a whole."""
        if page is not None:
            self.page, self.page_hash, self.query = page, "", query or ""
        self.fragments = {}
        return self._ask()

    def refresh(self, *parts: str) -> float:
        """Seconds until parts that refresh by themselves were drawn again; without names all."""
        return sum(
            self._ask(fragment_id=part, is_auto_rerun=True)
            for part in parts or tuple(self.fragments)
        )

    def _ask(self, **more: Any) -> float:
        from streamlit.proto.BackMsg_pb2 import BackMsg

        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_script_hash = self.page_hash
        asked.rerun_script.page_name = "" if self.page_hash else self.page
        asked.rerun_script.cached_message_hashes.extend(self.hashes)
        for name, value in more.items():
            setattr(asked.rerun_script, name, value)
        started = time.perf_counter()
        self.socket.send(asked.SerializeToString())
        self._hear()
        return time.perf_counter() - started

    def _hear(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        self.elements = []
        while True:
            data = self.socket.recv(ANSWER_S)
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable and message.hash:
                self.hashes.add(message.hash)
            if kind == "navigation":
                self.page_hash = message.navigation.page_script_hash
            elif kind == "auto_rerun":
                self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.elements.append(message.delta.new_element)
            elif kind == "script_finished" and message.script_finished in (0, 1, 3):
                self._fail_on_exceptions()
                return

    def _fail_on_exceptions(self) -> None:
        for element in self.elements:
            if element.WhichOneof("type") == "exception":
                raise RuntimeError(f"{element.exception.type}: {element.exception.message}")

    def close(self) -> None:
        """Leaves."""
        self.socket.close()
