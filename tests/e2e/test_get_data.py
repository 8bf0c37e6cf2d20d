"""Getting CIFAR-10 in the browser: a mirror that lies, one that breaks off, a folder, a cancel."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cifar_core.runs.states import RunState
from cifar_core.runs.store import DataJob, list_runs
from tests.conftest import REAL_DATA
from tests.e2e.conftest import Server
from tests.real_jobs import wait_for


@contextmanager
def mirror(folder: Path, break_after: int = 0, wait_s: float = 0) -> Iterator[str]:
    """Serves files with ranges on the loopback; breaks the first connection of each file."""
    broken: set[str] = set()
    never = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / self.path.rpartition("/")[2]
            if not file.is_file():
                self.send_error(404)
                return
            body = file.read_bytes()
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.send_header("ETag", f'"{len(body)}"')
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            end = len(body)
            if break_after and self.path not in broken:
                broken.add(self.path)
                end = min(end, start + break_after)
            with contextlib.suppress(ConnectionError):  # a client that cancels hangs up
                for at in range(start, end, 1 << 18):
                    self.wfile.write(body[at : min(at + (1 << 18), end)])
                    never.wait(wait_s)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        never.set()
        server.shutdown()
        server.server_close()
        thread.join()


def restart(server: Server, **env: str) -> None:
    server.kill()
    server.env.update(env)
    server.start()


def test_wrong_bytes_are_refused_with_a_sentence(
    server: Server, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"not the archive" * 100)
    with mirror(tmp_path) as address:
        restart(server, CIFAR_MIRROR=address)
        page.goto(server.url)
        page.get_by_role("button", name="Download").click()
        expect(page.get_by_text("Download again").first).to_be_visible()
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    assert not list((tmp_path / "cache").glob("decoded/cifar10"))


def test_a_download_can_be_cancelled_and_goes_on(
    server: Server, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(bytes(40_000_000))
    with mirror(tmp_path, wait_s=0.05) as address:
        restart(server, CIFAR_MIRROR=address)
        page.goto(server.url)
        page.get_by_role("button", name="Download").click()
        expect(page.get_by_text("Downloading cifar-10-python.tar.gz")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Download")).to_be_visible()
        (job,) = list_runs(server.runs, DataJob)
        wait_for(job.path, RunState.STOPPED)
        part = tmp_path / "cache" / "downloads" / "cifar-10-python.tar.gz.part"
        kept = part.stat().st_size
        assert 0 < kept < 40_000_000
        page.get_by_role("button", name="Download").click()
        expect(page.get_by_text("Download again").first).to_be_visible()  # it is no archive


@pytest.mark.real_data
def test_the_real_data_arrive_over_a_connection_that_breaks(
    server: Server, page: Page, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert REAL_DATA is not None
    for name in ("train", "test"):
        shards = sorted(Path(REAL_DATA).glob(f"{name}-*.parquet"))
        whole = pa.concat_tables([pq.read_table(shard) for shard in shards])
        pq.write_table(whole, tmp_path / f"{name}-00000-of-00001.parquet")
    with mirror(tmp_path, break_after=5_000_000) as address:
        restart(server, CIFAR_MIRROR=address)
        page.goto(server.url)
        page.get_by_text("Hugging Face").click()
        page.get_by_role("button", name="Download").click()
        expect(page.get_by_text("CIFAR-10 ready")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Details").click()
    page.get_by_role("link", name="Browse images").click()
    expect(page.get_by_text("50,000 train images")).to_be_visible()


@pytest.mark.real_data
def test_a_folder_is_imported(server: Server, page: Page) -> None:
    assert REAL_DATA is not None
    page.goto(server.url)
    page.get_by_text("Import from folder").click()
    box = page.get_by_role("textbox", name="Folder on the server")
    box.fill(str(Path(REAL_DATA).resolve()))
    box.press("Enter")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("CIFAR-10 ready")).to_be_visible(timeout=90_000)
