"""One intention, one run: who decides, and what a draft has become."""

import contextlib
from pathlib import Path

from cifar_core.runs.store import Run, read_run, run_dirs
from cifar_core.system.files import read_json


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
