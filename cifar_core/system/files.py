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

from cifar_core.errors import CifarCoreError, RunError

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


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """Opens a regular file; a new one gets 0644, less the umask. The caller closes the descriptor.

    Links are not followed, and nothing waits for a FIFO or opens a device.

    Args:
        flags: As of `os.open`.

    Raises:
        NotRegularError: if it is anything else.
        OSError: as the system has it.
    """
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise NotRegularError(path) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegularError(path)
    return handle


class NotRegularError(RunError):
    """A link, a folder, a FIFO or a device lies where a file of ours should be."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path.parent.name}/{path.name} is {_kind(path)}, not a regular file. Remove it."
        )


def _kind(path: Path) -> str:
    kinds = {
        "a link": path.is_symlink,
        "a folder": path.is_dir,
        "a FIFO": path.is_fifo,
        "a socket": path.is_socket,
    }
    return next((kind for kind, is_it in kinds.items() if is_it()), "a device")


def refuse_links(folder: Path) -> None:
    """Refuses a folder of ours that holds anything but files and folders of files.

    Raises:
        NotRegularError: naming the first; writing there would change what lies elsewhere.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                refuse_links(folder / entry.name)
            elif not entry.is_file(follow_symlinks=False):
                raise NotRegularError(folder / entry.name)


def read_regular(path: Path, max_bytes: int) -> bytes | None:
    """The content of a regular file; None if there is none.

    Raises:
        NotRegularError: if it is anything else, as `open_regular` has it.
        ValueError: if it is larger.
        OSError: as the system has it.
    """
    try:
        handle = open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(handle, "rb") as stream:
        size = os.fstat(handle).st_size
        if size > max_bytes:
            raise ValueError(f"it has {size:,} bytes; {max_bytes:,} are accepted")
        return stream.read(max_bytes + 1)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if it is missing or damaged."""
    try:
        value = json.loads(read_regular(path, _MAX_JSON) or b"")
    except (OSError, ValueError, RecursionError, CifarCoreError):
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
    """Total size of all files below a folder; what is deleted or renamed meanwhile counts as 0."""
    total = 0
    for parent, _, names in os.walk(folder):  # where Path.rglob raises, it passes over the folder
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(parent, name))
                total += status.st_size * stat.S_ISREG(status.st_mode)
    return total


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
