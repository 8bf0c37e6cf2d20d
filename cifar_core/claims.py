"""One intention, one run: who decides, and what a draft has become."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cifar_core.errors import RunError
from cifar_core.files import read_json
from cifar_core.runs import Run, read_run, run_dirs

ELSEWHERE = "Choose another folder with --runs or CIFAR_RUNS."


@contextlib.contextmanager
def one_at_a_time(root: Path, what: str) -> Iterator[None]:
    """Lets one process at a time decide `what`, such as "names", for the runs in a folder.

    Raises:
        RunError: if the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f".{what}.lock", timeout=60)
        lock.acquire()
    except Timeout:
        raise RunError(f"Another process keeps {root} busy. Try again in a minute.") from None
    except OSError as error:
        raise RunError(f"{root} cannot be written ({error.strerror}). {ELSEWHERE}") from None
    try:
        yield
    finally:
        lock.release()


def find_draft(root: Path, draft: str) -> Run | None:
    """The run that a draft has become; None if it was not started yet."""
    for path in run_dirs(root) if draft else ():
        request = path / "request.json"
        with contextlib.suppress(OSError):  # deleted meanwhile
            if draft.encode() not in request.read_bytes():
                continue  # four times quicker than to parse it
        if (read_json(request) or {}).get("draft") == draft:
            return read_run(path)
    return None
