"""Resumable downloads: they survive a broken connection, a stop, a restart of the computer.

`<target>.part` holds the bytes received so far; `<target>.part.json` says which version of which
file they belong to. Nothing is decoded here (see `store`).
"""

import contextlib
import errno
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from filelock import FileLock, Timeout

from cifar_core.data.partial_file import PartialFile
from cifar_core.errors import DataError
from cifar_core.system.files import file_sha256
from cifar_core.system.progress import Progress

_BLOCK = 1 << 16  # bytes per read
_REPORT_EVERY_S = 0.1
_MAX_WAIT_S = 30.0  # between two attempts
_RETRYABLE = (408, 425, 429)  # client errors worth another attempt


class _ConnectionBroken(Exception):
    """This attempt failed; another one may succeed."""


def download_file(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    timeout_s: float = 30,
    max_attempts: int = 5,
    wait_s: float = 1.0,
) -> Iterator[Progress]:
    """Downloads one file, resuming what an earlier call or process left.

    Closing the generator keeps the bytes received. An existing file is kept if its SHA-256 is
    right, or if none is given.

    Args:
        timeout_s: Seconds without data after which a connection counts as broken.
        max_attempts: Failures in a row, without a new byte, before giving up.
        wait_s: Seconds before the second attempt; doubled for each further one, up to 30.

    Raises:
        DataError: if the server refuses, sends wrong bytes or cannot be reached; if the disk is
            full or not writable; if another process is downloading the same file.
    """
    if not _is_address(url):
        raise DataError(f"{url!r} is not a web address. Give one with http:// or https://.")
    part = PartialFile(target, url, Path(f"{target}.part"), Path(f"{target}.part.json"))
    with _storage(part):
        if target.is_file() and (sha256 is None or file_sha256(target) == sha256):
            size = target.stat().st_size
            yield Progress(f"{target.name} already downloaded", size, size, "bytes")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            yield from _retry(part, timeout_s, max_attempts, wait_s)
            yield part.report("Verifying")
            part.finish(sha256)
        size = target.stat().st_size
        yield Progress(f"Downloaded {target.name}", size, size, "bytes")


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        fits = url.isprintable() and " " not in url and parts.port != 0
        return fits and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # such as a bracket left open, or a port that is no number
        return False


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Held by one download of `target` at a time; the system frees it if its holder dies."""
    # Not thread-local: a generator may be closed by another thread than the one that began it.
    lock = FileLock(f"{target}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise DataError(
            f"A download of {target.name} to {target.parent} is already running. "
            "Wait for it, or stop it."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _storage(part: PartialFile) -> Iterator[None]:
    """Turns disk errors into a `DataError`; network errors are handled before."""
    folder = part.target.parent
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"{part.target.name} cannot be written to {folder} ({error.strerror}). "
                "Choose a writable folder."
            ) from None
        done, total, _ = part.state()
        need = f"{total - done:,} more bytes are" if total else "more space is"
        raise DataError(
            f"The disk of {folder} is full: {need} needed for {part.target.name}. "
            "Free some space and download again; the download resumes."
        ) from None


def _retry(
    part: PartialFile, timeout_s: float, max_attempts: int, wait_s: float
) -> Iterator[Progress]:
    """Reconnects until the file is complete, or until attempts bring no new bytes."""
    failures, furthest = 0, part.state()[0]
    while True:
        try:
            yield from _receive(part, timeout_s)
            return
        except _ConnectionBroken as broken:
            done = part.state()[0]
            # Beyond the furthest, not just some bytes: a server without ranges starts over.
            failures = 1 if done > furthest else failures + 1
            furthest = max(done, furthest)
            if failures >= max_attempts:
                raise DataError(
                    f"{part.url} could not be downloaded: {broken}, {failures} times in a row. "
                    "Check the connection (and HTTPS_PROXY), then download again; "
                    f"it resumes after {done:,} bytes."
                ) from None
        until = time.monotonic() + min(wait_s * 2 ** (failures - 1), _MAX_WAIT_S)
        while (remaining := until - time.monotonic()) > 0:
            yield part.report("Waiting to resume")
            time.sleep(min(remaining, _REPORT_EVERY_S))


def _receive(part: PartialFile, timeout_s: float) -> Iterator[Progress]:
    """One connection: appends the bytes it delivers."""
    done, total, _ = part.state()
    if total is not None and done == total:
        return
    with _connect(part, timeout_s) as response:
        _start_or_resume(part, response)
        done, total, _ = part.state()
        yield part.report("Downloading")
        reported = time.monotonic()
        with part.path.open("ab") as stream:
            while block := _read(response):
                done += stream.write(block)
                if time.monotonic() - reported >= _REPORT_EVERY_S:
                    yield Progress(f"Downloading {part.target.name}", done, total, "bytes")
                    reported = time.monotonic()
    if total is not None and done != total:
        raise _ConnectionBroken(f"the connection ended after {done:,} of {total:,} bytes")


def _connect(part: PartialFile, timeout_s: float) -> HTTPResponse:
    """Requests the missing bytes, or all if the file has changed on the server."""
    done, _, version = part.state()
    request = urllib.request.Request(part.url, headers={"User-Agent": "cifar-core"})
    if done and version:
        request.add_header("Range", f"bytes={done}-")
        request.add_header("If-Range", version)
    try:
        return urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            part.discard()
        elif error.code < 500 and error.code not in _RETRYABLE:
            raise DataError(
                f"{part.url} cannot be downloaded: the server sent {error.code} {error.reason}. "
                "Check the address, or choose another origin."
            ) from None
        raise _ConnectionBroken(f"the server answered {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise _ConnectionBroken(_reason(error)) from None


def _start_or_resume(part: PartialFile, response: HTTPResponse) -> None:
    """Keeps the part if the response continues it, empties it if the response starts over."""
    done, _, version = part.state()
    at = response.headers.get("Content-Range", "")
    if response.status != 206:
        part.begin(response.length, _version(response))
    elif not at.startswith(f"bytes {done}-") or _version(response) not in (None, version):
        part.discard()
        raise _ConnectionBroken("the server sent another range or version than requested")


def _version(response: HTTPResponse) -> str | None:
    """The value for If-Range (RFC 9110, 13.1.5): a strong ETag, else the date of change."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read1(_BLOCK)
    except (OSError, HTTPException) as error:
        raise _ConnectionBroken(_reason(error)) from None


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return "the server did not respond in time" if isinstance(cause, TimeoutError) else f"{cause}"
