"""Jobs on disk: one folder each.

request.json    the launcher: kind, config, when
start.json      the launcher: when it last asked for a worker, and which process that is
status.json     the worker: identity, phase, hardware, progress, how it ended
metrics.jsonl   the worker: one record a line
worker.log      the worker: what it printed
worker.lock     held by the worker as long as it lives
memory.json     the worker: only while the system has little left
stop            app or command line: please stop
name.json       app or command line: name and notes
last-… best-… epoch-…   the worker: checkpoints
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import CifarCoreError, RunError
from cifar_core.runs.states import RunState, compute_state
from cifar_core.system.files import folder_bytes, read_json

# What is computed with, by its type.
_STATUS: dict[Any, tuple[str, ...]] = {
    int | float: ("updated", "started", "ended", "spent", "steps_per_epoch"),
    dict: ("worker", "runtime", "versions", "best", "last"),
    str: ("phase", "outcome", "reason"),
}


@dataclass(frozen=True)
class Run:
    """A job as it was at the moment of reading.

    Attributes:
        config: Of a training or an LR test; None for other kinds.
        request, status: The files as they are, for what is shown but not computed with.
        reason: Why it ended as it did, one sentence; empty while it runs.
    """

    run_id: str
    path: Path
    kind: str
    name: str
    notes: str
    created: datetime
    state: RunState
    reason: str
    config: TrainConfig | None
    request: dict[str, Any]
    status: dict[str, Any]

    @property
    def best_acc(self) -> float | None:
        """Validation accuracy of the best epoch; of the test images if nothing is held out."""
        best = self.status.get("best") or self.status.get("last")
        if not isinstance(best, dict):
            return None
        acc = best.get("val_acc")
        return best.get("test_acc") if acc is None else acc

    @property
    def data_title(self) -> str:
        """What it is about; what the config names, as long as nobody has opened that."""
        named = self.config.data if self.config else ""
        return str(self.status.get("data_title") or self.request.get("data_title") or named)

    @property
    def took_s(self) -> float | None:
        """Seconds that it has taken, once it has ended."""
        started, ended = self.status.get("started"), self.status.get("ended")
        return ended - started if started and ended else None


def list_runs(root: Path, kind: str | None = "train") -> list[Run]:
    """All jobs of a kind, newest first; what cannot be read is left out."""
    runs = []
    for path in run_dirs(root):
        with contextlib.suppress(CifarCoreError):
            run = read_run(path)
            if kind is None or run.kind == kind:
                runs.append(run)
    return sorted(runs, key=lambda run: (run.created, run.run_id), reverse=True)


def unreadable(root: Path) -> list[tuple[Path, str]]:
    """The folders that hold a request but are no readable job, and why."""
    found = []
    for path in run_dirs(root):
        try:
            read_run(path)
        except CifarCoreError as error:
            found.append((path, str(error)))
    return found


def run_dirs(root: Path) -> list[Path]:
    """The folders of all jobs, in no order."""
    try:
        return [p.parent for p in root.glob("*/request.json") if not p.parent.name.startswith(".")]
    except OSError:
        return []


def find_run(root: Path, text: str, kind: str | None = None) -> Run:
    """The run of that id or name.

    Raises:
        RunError: if there is none.
    """
    known = []
    for path in run_dirs(root):
        name = str((read_json(path / "name.json") or {}).get("name", path.name))
        if text in (path.name, name) and (run := read_run(path)).kind == (kind or run.kind):
            return run
        if kind is None or (read_json(path / "request.json") or {}).get("kind") == kind:
            known.append(name)
    listed = ", ".join(sorted(known)[:8]) or "none yet; start one with: python -m cifar_core train"
    raise RunError(f"There is no run {text!r} in {root}. Known: {listed}.")


def read_run(path: Path) -> Run:
    """Reads one job.

    Raises:
        RunError: if its request is missing or damaged.
    """
    request = read_json(path / "request.json")
    if request is None:
        raise RunError(f"{path.name} has no readable request.json; it is no run, or damaged.")
    try:
        trains = request["kind"] in ("train", "lr_find")
        config = make_config(request["config"]) if trains else None
        created = datetime.fromisoformat(request["created"])
        if created.tzinfo is None:
            raise ValueError(f"created = {created} has no time zone")
        kind = request["kind"]
        if not isinstance(kind, str):
            raise ValueError(f"kind = {kind!r}")
    except (KeyError, ValueError, TypeError, CifarCoreError) as error:
        raise RunError(f"The request of {path.name} is damaged ({error}).") from None
    labels = read_json(path / "name.json") or {}
    status = _checked_status(path)
    state, reason = compute_state(path, created, status)
    return Run(
        run_id=path.name,
        path=path,
        kind=kind,
        name=str(labels.get("name", path.name)),
        notes=str(labels.get("notes", "")),
        created=created,
        state=state,
        reason=reason,
        config=config,
        request=request,
        status=status,
    )


def _checked_status(path: Path) -> dict[str, Any]:
    """The worker's status, empty if there is none yet.

    Raises:
        RunError: if it is not what a worker writes.
    """
    status = read_json(path / "status.json") or {}
    for kind, names in _STATUS.items():
        for name in names:
            if not isinstance(status.get(name), kind | None):
                raise RunError(f"The status of {path.name} is damaged ({name} = {status[name]!r}).")
    return status


def disk_bytes(run: Run) -> int:
    """What a job occupies."""
    return folder_bytes(run.path)


FOLDER = "epochs"


def epoch_files(run_dir: Path) -> list[Path]:
    """The files of the epochs that were kept, the first epoch first."""
    return sorted(path for path in run_dir.glob(f"{FOLDER}/*.npz") if path.stem.isdecimal())
