"""One intention, one run: what a draft has become."""

import contextlib
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.records import layout
from cifar_core.runs.folders import run_dirs
from cifar_core.runs.store import LRTestRun, TrainingRun, read_run
from cifar_core.system.files import read_regular
from cifar_core.system.json_files import MAX_BYTES


def find_draft(root: Path, draft: str) -> TrainingRun | LRTestRun | None:
    """The run that a draft has become; None if it was not started yet."""
    for path in run_dirs(root) if draft else ():
        with contextlib.suppress(OSError, ValueError, RunError):  # deleted meanwhile, or damaged
            if draft.encode() not in (read_regular(path / layout.REQUEST, MAX_BYTES) or b""):
                continue  # four times quicker than to parse it
            run = read_run(path)
            if isinstance(run, TrainingRun | LRTestRun) and run.request.draft == draft:
                return run
    return None
