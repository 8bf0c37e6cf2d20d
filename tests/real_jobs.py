"""Jobs on disk for tests: real ones, requests without a worker, a stand-in for a live one."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.records import layout
from cifar_core.runs.files import Status, read_status
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.requests import DataRequest, LRTestRequest, TrainRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnyRun, Run, read_run
from cifar_core.system.files import read_json, write_json
from cifar_core.system.json_files import write_typed
from tests.waiting import LIMIT_S, wait_until

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
REQUEST = partial(TrainRequest, config=CONFIG, device="cpu")
LR_REQUEST = partial(LRTestRequest, config=CONFIG, find=LRTestConfig(), device="cpu")
DOWNLOAD = partial(DataRequest, origin="hub")


def small(**changes: Any) -> TrainConfig:
    """A config that trains in about a second."""
    return make_config({**SMALL, **changes})


def rewrite(path: Path, file: str = "request.json", /, **changes: Any) -> None:
    """Changes entries of one of a run's files, which need not be there."""
    write_json(path / file, {**(read_json(path / file) or {}), **changes})


def new_run(root: Path, name: str = "", **changes: Any) -> Path:
    """A run as the launcher leaves it; `changes` are then made to its request."""
    path = create_run(root, REQUEST, name)
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


def wait_for(
    run_dir: Path, *states: RunState, timeout_s: float = LIMIT_S, kind: type[AnyRun] = Run
) -> AnyRun:
    """Waits until a run is in one of the states; fails at once where it has ended in another."""

    def run_there() -> AnyRun | None:
        run = read_run(run_dir, kind)
        assert run.state in states or run.state.is_active, log()
        return run if run.state in states else None

    def log() -> str:
        text = (run_dir / "worker.log").read_text(errors="replace")
        return f"{read_run(run_dir).state}, not {states}\n{text}"

    return wait_until(run_there, log, timeout_s)


def wait_until_training(run_dir: Path) -> None:
    """Waits for the first record of a training."""
    metrics = run_dir / "metrics.jsonl"
    wait_until(
        lambda: metrics.is_file() and metrics.stat().st_size,
        lambda: (run_dir / "worker.log").read_text(errors="replace"),
    )


HOLDER = """
import sys, time
from dataclasses import asdict
from pathlib import Path
from filelock import FileLock
from cifar_core.system.process_identity import own_identity
from cifar_core.system.files import read_json, write_json
run_dir = Path(sys.argv[1])
lock = FileLock(run_dir / "worker.lock")  # kept, or it is let go at once
lock.acquire()
status = read_json(run_dir / "status.json") or {}
changed = {**status, "phase": sys.argv[2], "worker": asdict(own_identity())}
write_json(run_dir / "status.json", changed)
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
    status = read_status(run_dir) or Status()
    lasting = replace(status, outcome=None, reason="", ended=None, traceback="")
    write_typed(run_dir / layout.STATUS, lasting)


def pretend_failed(run_dir: Path, reason: str) -> None:
    """Lets a finished run look as one that failed."""
    rewrite(run_dir, layout.STATUS, outcome="failed", reason=reason)
    (run_dir / "worker.log").write_text("Traceback (most recent call last):\nKeyError: 'x'\n")
