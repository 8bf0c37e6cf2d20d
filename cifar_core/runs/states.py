"""What a job is doing: computed from what is on disk and what lives, never believed."""

import time
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from cifar_core.system.files import read_json
from cifar_core.system.locks import is_locked
from cifar_core.system.memory import low_memory
from cifar_core.system.process_identity import find_process

START_LIMIT_S = 30.0  # between the request and the launcher's word of which process it started


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


def compute_state(path: Path, created: datetime, status: dict[str, Any]) -> tuple[RunState, str]:
    """The state and, for ended jobs, the reason: a function of what is on disk and alive."""
    asked, started = last_start(path, created)
    if outcome := outcome_since(status, asked):
        return outcome, str(status.get("reason", ""))
    begun = bool(status) and float(status.get("updated", asked)) >= asked
    if is_locked(path / "worker.lock") or find_worker(status, started):
        if not begun or status.get("phase", "queued") in ("queued", "ended"):
            return RunState.QUEUED, ""
        stopping = (path / "stop").exists()
        return (RunState.STOPPING if stopping else RunState.RUNNING), ""
    if not begun and not started and time.time() - asked < START_LIMIT_S:
        return RunState.QUEUED, ""
    # Between reading the status and asking for the lock the worker may have ended in order.
    again = read_json(path / "status.json") or {}
    if outcome := outcome_since(again, asked):
        return outcome, str(again.get("reason", ""))
    return RunState.INTERRUPTED, _likely_cause(path, again if begun else {}, asked)


def last_start(path: Path, created: datetime) -> tuple[float, dict[str, Any]]:
    """When a worker was last asked for, and the identity of the process started then.

    What ended before that time has been asked to go on.
    """
    start = read_json(path / "start.json") or {}
    asked, started = start.get("asked"), start.get("worker")
    return (
        float(asked) if isinstance(asked, int | float) else created.timestamp(),
        started if isinstance(started, dict) else {},
    )


def outcome_since(status: dict[str, Any], asked: float) -> RunState | None:
    """How the job ended since it was last asked to run; None if it has not."""
    if float(status.get("ended", asked)) < asked:
        return None
    try:
        return RunState(status["outcome"])
    except (KeyError, ValueError):
        return None


def find_worker(status: dict[str, Any], started: dict[str, Any]) -> psutil.Process | None:
    """The live process of a job, as it named itself or as its launcher named it."""
    worker = status.get("worker")
    named = find_process(worker) if isinstance(worker, dict) else None
    return named or find_process(started)


def _likely_cause(path: Path, status: dict[str, Any], asked: float) -> str:
    """Why a worker may have vanished; `status` is empty if it never gave a sign of life."""
    if not status:
        return "The worker never started; see its log."
    if (read_json(path / "stop") or {}).get("forced"):
        return "Ended by force, as asked; what came after its last checkpoint is lost."
    started = (status.get("worker") or {}).get("create_time")
    if isinstance(started, float | int) and psutil.boot_time() > started:
        return "The machine was restarted while it ran."
    if "Fatal Python error" in log_tail(path):
        return "Its process crashed; the last lines of its log say where."
    if memory := low_memory(path, since=asked):
        return (
            f"Its process vanished when the system had {memory.left / 1e6:,.0f} MB of "
            f"{memory.total / 1e6:,.0f} MB of memory left: most likely it was killed for that. "
            "Take a smaller batch_size, model or num_workers."
        )
    return "Its process vanished without a word: killed, or the system ran out of memory."


def log_tail(run_dir: Path, num_lines: int = 30) -> str:
    """The last lines the worker of a job printed."""
    try:
        with (run_dir / "worker.log").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - 20_000))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-num_lines:])
