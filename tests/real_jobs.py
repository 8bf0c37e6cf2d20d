"""Jobs on disk for tests: real ones, requests without a worker, a stand-in for a live one."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cifar_core.config.train import TrainConfig, make_config
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, read_run
from cifar_core.system.files import read_json, write_json

SMALL: dict[str, Any] = {
    "data": "shapes10",
    "model": "convnet",
    "train_size": 512,
    "val_size": 256,
    "batch_size": 64,
    "epochs": 2,
    "augment": "standard",
}
ENDLESS = {**SMALL, "epochs": 2000}
CONFIG = make_config({"data": "shapes10", "model": "convnet"})
REQUEST = {"config": CONFIG.model_dump(mode="json"), "device": "cpu"}


def small(**changes: Any) -> TrainConfig:
    """A config that trains in about a second."""
    return make_config({**SMALL, **changes})


def rewrite(path: Path, file: str = "request.json", /, **changes: Any) -> None:
    """Changes entries of one of a run's files, which need not be there."""
    write_json(path / file, {**(read_json(path / file) or {}), **changes})


def new_run(root: Path, name: str = "", **changes: Any) -> Path:
    """A run as the launcher leaves it; `changes` are then made to its request."""
    path = create_run(root, "train", REQUEST, name)
    if changes:
        rewrite(path, **changes)
    return path


def ended_run(root: Path, name: str = "", outcome: str = "completed") -> Path:
    """A run with nothing but its request and its end."""
    path = new_run(root, name)
    write_json(path / "status.json", {"outcome": outcome})
    return path


def folders(root: Path) -> set[str]:
    """The names of the folders in a folder."""
    return {path.name for path in root.iterdir() if path.is_dir()}


def ago(seconds: float) -> str:
    """A time of creation so long ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def wait_for(run_dir: Path, *states: RunState, timeout_s: float = 60) -> Run:
    """Waits until a run is in one of the states."""
    until = time.monotonic() + timeout_s
    while (run := read_run(run_dir)).state not in states:
        log = (run_dir / "worker.log").read_text(errors="replace")
        assert time.monotonic() < until, f"{run.state}, not {states}\n{log}"
        time.sleep(0.05)
    return run


def wait_until_training(run_dir: Path, timeout_s: float = 60) -> None:
    """Waits for the first record of a training."""
    until = time.monotonic() + timeout_s
    metrics = run_dir / "metrics.jsonl"
    while not (metrics.is_file() and metrics.stat().st_size):
        assert time.monotonic() < until, (run_dir / "worker.log").read_text(errors="replace")
        time.sleep(0.05)


HOLDER = """
import sys, time
from pathlib import Path
from filelock import FileLock
from cifar_core.system.process_identity import own_identity
from cifar_core.system.files import read_json, write_json
run_dir = Path(sys.argv[1])
lock = FileLock(run_dir / "worker.lock")  # kept, or it is let go at once
lock.acquire()
status = read_json(run_dir / "status.json") or {}
write_json(run_dir / "status.json", {**status, "phase": sys.argv[2], "worker": own_identity()})
print("held", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def held(run_dir: Path, phase: str) -> Iterator["subprocess.Popen[str]"]:
    """A live process that holds a run as its worker would, in a phase, and does nothing."""
    command = [sys.executable, "-c", HOLDER, str(run_dir), phase]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def pretend_running(run_dir: Path) -> None:
    """Takes the end out of a finished run's status; with `held` it is then running."""
    run = read_run(run_dir)
    ended = ("outcome", "reason", "ended", "traceback")
    write_json(run_dir / "status.json", {k: v for k, v in run.status.items() if k not in ended})


def pretend_failed(run_dir: Path, reason: str) -> None:
    """Lets a finished run look as one that failed."""
    run = read_run(run_dir)
    write_json(run_dir / "status.json", {**run.status, "outcome": "failed", "reason": reason})
    (run_dir / "worker.log").write_text("Traceback (most recent call last):\nKeyError: 'x'\n")
