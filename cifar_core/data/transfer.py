"""Downloading a file so that it survives a broken connection, a stop, a restart of the computer.

What has arrived lies in `<target>.part`; `<target>.part.json` remembers which version of which
file it is part of. Nothing is decoded here (see `store`).
"""

import contextlib
import errno
import time
import urllib.error
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
_PAUSE_S = 0.1  # between two reports
_LONGEST_WAIT_S = 30.0  # between two attempts
_PASSING = (408, 425, 429)  # the client errors that may be gone at the next attempt


class _ConnectionBroken(Exception):
    """This attempt is over; another one may succeed."""


def download_file(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    timeout_s: float = 30,
    max_attempts: int = 5,
    wait_s: float = 1.0,
) -> Iterator[Progress]:
    """Downloads one file, going on from what an earlier call, or process, has left.

    Closing the generator keeps what has arrived. A file that is there already stays if its
    SHA-256 is right, or if none is given.

    Args:
        timeout_s: A connection silent for so long counts as broken.
        max_attempts: Failures in a row, without a new byte, after which it gives up.
        wait_s: Seconds before the second attempt; doubled for each further one, up to 30.

    Raises:
        DataError: if the server refuses, sends other bytes or stays away; if the disk is full
            or not writable; if another process downloads the same file.
    """
    if not url.startswith(("http://", "https://")):
        raise DataError(f"'{url}' cannot be downloaded. Give an address with http:// or https://.")
    part = PartialFile(target, url, Path(f"{target}.part"), Path(f"{target}.part.json"))
    with _storage(part):
        if target.is_file() and (sha256 is None or file_sha256(target) == sha256):
            size = target.stat().st_size
            yield Progress(f"{target.name} is already here", size, size, "bytes")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            yield from _persist(part, timeout_s, max_attempts, wait_s)
            yield part.report("Checking")
            part.finish(sha256)
        size = target.stat().st_size
        yield Progress(f"Downloaded {target.name}", size, size, "bytes")


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
            "Wait for it, or stop it first."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _storage(part: PartialFile) -> Iterator[None]:
    """Turns the disk's errors into sentences; those of the network never get here."""
    folder = part.target.parent
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"{part.target.name} cannot be written to {folder} ({error.strerror}). "
                "Choose a folder that can be written to."
            ) from None
        done, total, _ = part.state()
        need = f"{total - done:,} more bytes are" if total else "more room is"
        raise DataError(
            f"The disk of {folder} is full: {need} needed for {part.target.name}. "
            "Make room there and download again: what has arrived is kept."
        ) from None


def _persist(
    part: PartialFile, timeout_s: float, max_attempts: int, wait_s: float
) -> Iterator[Progress]:
    """Connects until all bytes are here, or until nothing new comes any more."""
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
                    f"{done:,} bytes have arrived and are kept."
                ) from None
        until = time.monotonic() + min(wait_s * 2 ** (failures - 1), _LONGEST_WAIT_S)
        while (left := until - time.monotonic()) > 0:
            yield part.report("Waiting to go on downloading")
            time.sleep(min(left, _PAUSE_S))


def _receive(part: PartialFile, timeout_s: float) -> Iterator[Progress]:
    """One connection: appends what it brings."""
    done, total, _ = part.state()
    if total is not None and done == total:
        return
    with _connect(part, timeout_s) as response:
        _align(part, response)
        done, total, _ = part.state()
        yield part.report("Downloading")
        reported = time.monotonic()
        with part.path.open("ab") as stream:
            while block := _read(response):
                done += stream.write(block)
                if time.monotonic() - reported >= _PAUSE_S:
                    yield Progress(f"Downloading {part.target.name}", done, total, "bytes")
                    reported = time.monotonic()
    if total is not None and done != total:
        raise _ConnectionBroken(f"the connection ended after {done:,} of {total:,} bytes")


def _connect(part: PartialFile, timeout_s: float) -> HTTPResponse:
    """Asks for what is missing, if that is still of the same version, else for all."""
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
        elif error.code < 500 and error.code not in _PASSING:
            raise DataError(
                f"{part.url} cannot be had: the server answered {error.code} {error.reason}. "
                "Check the address, or take another origin."
            ) from None
        raise _ConnectionBroken(f"the server answered {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise _ConnectionBroken(_reason(error)) from None


def _align(part: PartialFile, response: HTTPResponse) -> None:
    """Keeps the part if the answer continues it, empties it if the answer starts over."""
    done, _, version = part.state()
    at = response.headers.get("Content-Range", "")
    if response.status != 206:
        part.begin(response.length, _version(response))
    elif not at.startswith(f"bytes {done}-") or _version(response) not in (None, version):
        part.discard()
        raise _ConnectionBroken("the server sent another range or version than asked for")


def _version(response: HTTPResponse) -> str | None:
    """What may stand in If-Range (RFC 9110, 13.1.5): a strong ETag, else the date of change."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read1(_BLOCK)
    except (OSError, HTTPException) as error:
        raise _ConnectionBroken(_reason(error)) from None


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return "the server stayed silent" if isinstance(cause, TimeoutError) else f"{cause}"
