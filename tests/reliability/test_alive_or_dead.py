"""What is said of a run is true: alive or dead, why it died, and no signal to anybody else."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from cifar_core.errors import RunError
from cifar_core.jobs.launch import launch_training
from cifar_core.runs.lifecycle import force_stop, request_stop
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import read_run
from cifar_core.system.files import read_json, write_json
from cifar_core.system.memory import Memory, note_memory
from cifar_core.system.process_identity import identity_of
from tests.real_jobs import ago, new_run, rewrite, wait_for
from tests.reliability.plain import plain_config
from tests.reliability.report import Tally
from tests.waiting import LIMIT_S, wait_until

LONG = plain_config(epochs=2000, step_s=0.01)
HOUR = 3600.0
DEAD_AFTER_S = 15.0  # at most, on a machine that does nothing else


def pid_of(run_dir: Path) -> int:
    """Of a worker that has named itself."""
    worker = wait_until(lambda: (read_json(run_dir / "status.json") or {}).get("worker"))
    return worker["pid"]


def launched(runs: Path, chance: random.Random | None = None) -> Path:
    """A run that its worker has begun; at some random later moment of its beginning."""
    run_dir = launch_training(runs, LONG)
    pid_of(run_dir)
    time.sleep(chance.uniform(0.0, 0.1) if chance else 0.0)
    return run_dir


@pytest.mark.usefixtures("plain")
def test_a_killed_worker_is_shown_dead_at_once(runs: Path, tally: Tally) -> None:
    chance, longest_s, good = random.Random(1), 0.0, 0
    times = tally.times(5, 300)
    for _ in range(times):
        run_dir = launched(runs, chance)
        os.kill(pid_of(run_dir), signal.SIGKILL)
        killed_at = time.monotonic()
        run = wait_for(
            run_dir, RunState.INTERRUPTED, timeout_s=DEAD_AFTER_S if tally.full else LIMIT_S
        )
        longest_s = max(longest_s, time.monotonic() - killed_at)
        good += "killed" in run.reason
    what = f"kill -9 of a worker: shown dead within 15 s (slowest: {longest_s:.2f} s)"
    tally.note("R7", what, good, times)


def age(run_dir: Path) -> None:
    """Puts all that a state is computed from an hour back."""
    start = read_json(run_dir / "start.json") or {}
    status = read_json(run_dir / "status.json") or {}
    rewrite(run_dir, "start.json", requested=start["requested"] - HOUR)
    if "updated" in status:
        rewrite(run_dir, "status.json", updated=status["updated"] - HOUR)
    rewrite(run_dir, created=ago(2 * HOUR))


@pytest.mark.usefixtures("plain")
def test_a_stopped_or_slow_worker_is_never_shown_dead(runs: Path, tally: Tally) -> None:
    """SIGSTOP at a random moment, its first sign of life or later, and an hour passes."""
    chance, good = random.Random(2), 0
    times = tally.times(5, 300)
    for _ in range(times):
        run_dir = launch_training(runs, LONG)
        pid = (read_json(run_dir / "start.json") or {})["worker"]["pid"]
        time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.03), chance.uniform(0.0, 0.2)]))
        os.kill(pid, signal.SIGSTOP)
        age(run_dir)
        if chance.random() < 0.3:
            request_stop(read_run(run_dir))
        good += all(read_run(run_dir).state.is_active for _ in range(5))
        os.kill(pid, signal.SIGKILL)
        wait_for(run_dir, RunState.INTERRUPTED)
    tally.note("R7", "SIGSTOP at a random moment, for an hour: never shown dead", good, times)


# Who a forged identity names: an innocent process, with what is wrong in it.
FORGED: list[dict[str, Any]] = [
    {"create_time": -60.0},
    {"create_time": -HOUR * 24},
    {"create_time": +30.0},
    {"pid": 1},
    {"pid": 0},
    {"pid": -1},
    {"pid": 2**22 + 1},
    {"pid": 10**30},
    {"pid": "12; rm -rf /"},
    {"create_time": "yesterday"},
    {"create_time": None},
    {"pid": None},
]


def forge(true: dict[str, Any], lie: dict[str, Any]) -> dict[str, Any]:
    """The identity with one thing wrong; numbers are added to both times."""
    forged = {**true, **lie}
    if isinstance(lie.get("create_time"), float):
        forged["create_time"] = true["create_time"] + lie["create_time"]
        forged["since_boot"] = max(true["since_boot"] + lie["create_time"], 0.0)
    return forged


def test_no_signal_reaches_a_process_that_is_not_ours(runs: Path, tally: Tally) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10000)"])
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    until_dead(zombie.pid)
    true = [asdict(identity_of(pid)) for pid in (innocent.pid, zombie.pid, os.getpid())]
    chance, good = random.Random(3), 0
    times = tally.times(40, 500)
    for number in range(times):
        lie = FORGED[number % len(FORGED)]
        who = true[1] if chance.random() < 0.2 else chance.choice([true[0], true[2]])
        forged = who if who is true[1] else forge(who, lie)
        path = new_run(runs, created=ago(2 * HOUR))
        write_json(path / "start.json", {"requested": time.time() - HOUR, "worker": forged})
        now = {"phase": "running", "updated": time.time(), "worker": forged}
        write_json(path / "status.json", now if chance.random() < 0.7 else {})
        write_json(path / "stop", {"requested": time.time() - 60})
        good += shown_dead(path)
        assert innocent.poll() is None
    innocent.kill()
    assert (innocent.wait(), zombie.wait()) == (-signal.SIGKILL, 0)
    what = "forged identities (dead, zombie, reused, foreign, nonsense): shown dead, no signal sent"
    tally.note("R4", what, good, times)


def shown_dead(run_dir: Path) -> bool:
    """Whether a run with such an identity is interrupted, or damaged, and cannot be ended."""
    try:
        run = read_run(run_dir)
    except RunError as error:
        return "is damaged: worker" in str(error)
    with pytest.raises(RunError, match="is not running"):
        force_stop(run)
    return run.state is RunState.INTERRUPTED


def until_dead(pid: int) -> None:
    """Waits until a child has ended; nobody has asked for its code yet."""
    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


CAUSES = {
    "exception of zero": (RunState.FAILED, "ZeroDivisionError: of zero", "ZeroDivisionError"),
    "diverged": (RunState.FAILED, "The loss became nan. Take a lower lr.", "TrainingError"),
    "memory": (RunState.FAILED, "The machine ran out of memory", "MemoryError"),
    "gpu": (RunState.FAILED, "GPU out of memory", "OutOfMemoryError"),
    "full": (RunState.FAILED, "disk", "No space left"),
    "exit": (RunState.INTERRUPTED, "disappeared without an error", "plain worker begins"),
    "crash": (RunState.INTERRUPTED, "The process crashed", "Segmentation fault"),
}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("trouble", CAUSES)
def test_the_cause_of_a_death_is_named(runs: Path, tally: Tally, trouble: str) -> None:
    state, reason, log = CAUSES[trouble]
    times, good = tally.times(1, 30), 0
    for _ in range(times):
        run_dir = launch_training(runs, plain_config(epochs=3, step_s=0.01))
        (run_dir / "trouble").write_text(trouble)
        run = wait_for(run_dir, RunState.FAILED, RunState.INTERRUPTED)
        good += run.state is state and reason in run.reason and log in log_tail(run_dir)
    tally.note("R9", f"cause reported with the last log lines: {trouble.split()[0]}", good, times)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("how", ["SIGTERM", "low memory", "force"])
def test_the_cause_of_a_signal_is_named(runs: Path, tally: Tally, how: str) -> None:
    times, good = tally.times(1, 30), 0
    for _ in range(times):
        run_dir = launched(runs)
        wait_for(run_dir, RunState.RUNNING)
        pid = pid_of(run_dir)
        if how == "SIGTERM":
            os.kill(pid, signal.SIGTERM)
            good += "Terminated by SIGTERM" in wait_for(run_dir, RunState.FAILED).reason
            continue
        if how == "force":
            os.kill(pid, signal.SIGSTOP)  # it will not hear of the stop
            request_stop(read_run(run_dir))
            with pytest.raises(RunError, match="give it 10 s"):
                force_stop(read_run(run_dir))
            write_json(run_dir / "stop", {"requested": time.time() - 11})
            force_stop(read_run(run_dir))
        else:
            note_memory(run_dir / "memory.json", Memory(left=50_000_000, total=10**10))
            os.kill(pid, signal.SIGKILL)
        said = {
            "force": "Force-stopped by user",
            "low memory": "50 MB of 10,000 MB of memory left",
        }[how]
        good += said in wait_for(run_dir, RunState.INTERRUPTED).reason
    tally.note("R9", f"cause reported: {how}", good, times)
