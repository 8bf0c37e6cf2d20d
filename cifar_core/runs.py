"""Jobs on disk: one folder each. States are computed from what is there, never believed.

request.json    the launcher: kind, config, when
status.json     the worker: identity, phase, hardware, progress, how it ended
metrics.jsonl   the worker: one record a line
worker.log      the worker: what it printed
worker.lock     held by the worker as long as it lives
stop            app or command line: please stop
resume.json     app or command line: please go on, and when that was
name.json       app or command line: name and notes
last-… best-…   the worker: checkpoints
"""

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from cifar_core.config import TrainConfig, make_config
from cifar_core.errors import CifarCoreError, RunError
from cifar_core.files import folder_bytes, read_json
from cifar_core.identity import find_process, is_locked
from cifar_core.records import Metrics, Pace, pace

START_LIMIT_S = 30.0  # between the request and the worker's first sign of life


class RunState(StrEnum):
    """What a job is doing; the last four never change by themselves."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether a worker lives."""
        return self in (RunState.QUEUED, RunState.RUNNING, RunState.STOPPING)

    @property
    def can_resume(self) -> bool:
        """Whether it ended before its work was done."""
        return self in (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


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
        kind = str(request["kind"])
    except (KeyError, ValueError, TypeError, CifarCoreError) as error:
        raise RunError(f"The request of {path.name} is damaged ({error}).") from None
    labels = read_json(path / "name.json") or {}
    status = read_json(path / "status.json") or {}
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


def compute_state(path: Path, created: datetime, status: dict[str, Any]) -> tuple[RunState, str]:
    """The state and, for ended jobs, the reason: a function of what is on disk and alive."""
    asked = _asked(path, created)
    if outcome := _outcome(status, asked):
        return outcome, str(status.get("reason", ""))
    identity = status.get("worker")
    identity = identity if isinstance(identity, dict) else {}
    if is_locked(path / "worker.lock") or find_process(identity):
        if status.get("phase", "queued") in ("queued", "ended"):
            return RunState.QUEUED, ""
        stopping = (path / "stop").exists()
        return (RunState.STOPPING if stopping else RunState.RUNNING), ""
    begun = bool(identity) and float(status.get("updated", asked)) >= asked
    if not begun and time.time() - asked < START_LIMIT_S:
        return RunState.QUEUED, ""
    # Between reading the status and asking for the lock the worker may have ended in order.
    again = read_json(path / "status.json") or {}
    if outcome := _outcome(again, asked):
        return outcome, str(again.get("reason", ""))
    return RunState.INTERRUPTED, _likely_cause(path, identity if begun else {})


def _asked(path: Path, created: datetime) -> float:
    """When a worker was last asked for; what ended before then has been asked to go on."""
    resumed = (read_json(path / "resume.json") or {}).get("asked")
    return float(resumed) if isinstance(resumed, int | float) else created.timestamp()


def _outcome(status: dict[str, Any], asked: float) -> RunState | None:
    """How the job ended since it was last asked to run; None if it has not."""
    if float(status.get("ended", asked)) < asked:
        return None
    try:
        return RunState(status["outcome"])
    except (KeyError, ValueError):
        return None


def is_done(path: Path) -> bool:
    """Whether there is nothing left to do for a worker of a job."""
    run = read_run(path)
    return _outcome(run.status, _asked(path, run.created)) is not None


def _likely_cause(path: Path, identity: dict[str, Any]) -> str:
    if not identity:
        return "The worker never started; see its log."
    started = identity.get("create_time")
    if isinstance(started, float | int) and psutil.boot_time() > started:
        return "The machine was restarted while it ran."
    if "Fatal Python error" in log_tail(path):
        return "Its process crashed; the last lines of its log say where."
    return "Its process vanished without a word: killed, or the system ran out of memory."


def disk_bytes(run: Run) -> int:
    """What a job occupies."""
    return folder_bytes(run.path)


def run_pace(run: Run, metrics: Metrics) -> Pace:
    """How far a training is; nothing yet before its worker has set up."""
    steps = run.status.get("steps_per_epoch")
    if run.config is None or not steps:
        return Pace()
    return pace(metrics, run.config.epochs, steps, run.config.batch_size)


def log_tail(run_dir: Path, num_lines: int = 30) -> str:
    """The last lines the worker of a job printed."""
    try:
        with (run_dir / "worker.log").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - 20_000))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-num_lines:])
