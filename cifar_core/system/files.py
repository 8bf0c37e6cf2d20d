"""Atomic writes, and reads that tolerate missing or damaged files."""

import contextlib
import errno
import hashlib
import io
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_NPZ = 2**31  # bytes
_MAX_JSON = 64_000_000  # bytes; a cache note has a few thousand


def write_atomic(path: Path, content: bytes) -> None:
    """Writes to a temporary file, syncs and renames it; the old file stays intact until then.

    Raises:
        OSError: if writing fails; the temporary file is then deleted.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """`write_atomic` of indented JSON."""
    write_atomic(path, (json.dumps(value, indent=1) + "\n").encode())


def read_regular(path: Path, max_bytes: int) -> bytes | None:
    """The content of a regular file; None if there is none.

    Links are not followed, and nothing waits for a FIFO or reads a device.

    Raises:
        ValueError: if it is anything else, or larger.
        OSError: as the system has it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ValueError("it is a link or a socket, not a regular file") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is a folder, a FIFO or a device, not a regular file")
        if status.st_size > max_bytes:
            raise ValueError(f"it has {status.st_size:,} bytes; {max_bytes:,} are accepted")
        with os.fdopen(os.dup(handle), "rb") as stream:
            return stream.read(max_bytes + 1)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if it is missing or damaged."""
    try:
        value = json.loads(read_regular(path, _MAX_JSON) or b"")
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_npz(path: Path) -> "dict[str, NDArray[Any]] | None":
    """All arrays of an npz file, checked by the zip's CRCs; None if missing or damaged."""
    import numpy as np

    try:
        with np.load(io.BytesIO(read_regular(path, _MAX_NPZ) or b""), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception:  # noqa: BLE001 # a damaged zip, and a damaged header in it, raise anything
        return None


def sync_folder(folder: Path) -> None:
    """Makes a rename in a folder durable; where folders cannot be synced, does nothing."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def folder_bytes(folder: Path) -> int:
    """Total size of all files below a folder; files deleted meanwhile count as 0."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if not path.is_symlink() and path.is_file():
                total += path.stat().st_size
    return total


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
