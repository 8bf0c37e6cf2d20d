"""What a job is doing: computed from what is on disk and what lives, never believed."""

import os
import time
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import psutil

from cifar_core.records import layout
from cifar_core.runs.files import Start, Status, read_start, read_status, read_stop
from cifar_core.system.files import NotRegularError, open_regular
from cifar_core.system.locks import is_locked
from cifar_core.system.memory import low_memory
from cifar_core.system.process_identity import find_process, is_of_earlier_boot

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


def compute_state(run_dir: Path, created: datetime, status: Status) -> tuple[RunState, str]:
    """The state and, for ended jobs, the reason: a function of what is on disk and alive.

    Raises:
        RunError: if a file of the job is damaged.
    """
    start = last_start(run_dir, created)
    if outcome := outcome_of(status, start):
        return outcome, status.reason
    begun = status != Status() and _answers(status, start, status.updated)
    if is_locked(run_dir / layout.LOCK) or find_worker(status, start):
        if not begun or status.phase in ("queued", "ended"):
            return RunState.QUEUED, ""
        stopping = (run_dir / layout.STOP).exists()
        return (RunState.STOPPING if stopping else RunState.RUNNING), ""
    if not begun and not start.worker and time.time() - start.requested < START_LIMIT_S:
        return RunState.QUEUED, ""
    # Between reading the status and asking for the lock the worker may have ended in order.
    again = read_status(run_dir) or Status()
    if outcome := outcome_of(again, start):
        return outcome, again.reason
    return RunState.INTERRUPTED, _likely_cause(run_dir, again if begun else None, start.requested)


def last_start(run_dir: Path, created: datetime) -> Start:
    """When a worker was last asked for, and the process started then.

    What ended before that time has been asked to go on.

    Raises:
        RunError: if the file is damaged.
    """
    return read_start(run_dir) or Start(created.timestamp())


def outcome_of(status: Status, start: Start) -> RunState | None:
    """How the job ended since it was last asked to run; None if it has not."""
    if status.outcome is None or not _answers(status, start, status.ended):
        return None
    return RunState(status.outcome)


def _answers(status: Status, start: Start, time_s: float | None) -> bool:
    """Whether a status is of the worker that was last asked for; without a count by its time."""
    if start.attempt:
        return status.attempt >= start.attempt
    return time_s is None or time_s >= start.requested


def find_worker(status: Status, start: Start) -> psutil.Process | None:
    """The live process of a job, as it named itself or as its launcher named it."""
    return find_process(status.worker) or find_process(start.worker)


def _likely_cause(run_dir: Path, status: Status | None, requested: float) -> str:
    """Why a worker may have vanished; no status if it never gave a sign of life."""
    if status is None:
        return "The worker never started; see its log."
    if (stop := read_stop(run_dir)) and stop.forced:
        return "Force-stopped by user; progress since the last checkpoint is lost."
    if status.worker and is_of_earlier_boot(status.worker):
        return "The machine was restarted during the run."
    if "Fatal Python error" in log_tail(run_dir):
        return "The process crashed; see the last lines of the log."
    if memory := low_memory(run_dir / layout.MEMORY, since=requested):
        return (
            f"The process disappeared when the system had {memory.left / 1e6:,.0f} MB of "
            f"{memory.total / 1e6:,.0f} MB of memory left: it was probably killed to free memory. "
            "Choose a smaller batch_size, model or num_workers."
        )
    return "The process disappeared without an error: it was killed, or memory ran out."


def log_tail(run_dir: Path, num_lines: int = 30) -> str:
    """The last lines the worker of a job printed."""
    try:
        with os.fdopen(open_regular(run_dir / layout.LOG), "rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - 20_000))
            text = stream.read(20_000).decode(errors="replace")
    except (OSError, NotRegularError):
        return ""
    return "\n".join(text.splitlines()[-num_lines:])
