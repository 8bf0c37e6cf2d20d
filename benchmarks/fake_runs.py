"""Runs on disk in any number and length, as workers leave them, for pages to read."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock

from cifar_core.config.train import make_config
from cifar_core.records import layout
from cifar_core.records.records import EpochRecord, to_line
from cifar_core.records.steps import StepRecord
from cifar_core.runs.files import Status, read_status
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.requests import TrainRequest
from cifar_core.system.json_files import write_typed
from cifar_core.system.process_identity import own_identity

STEPS_PER_EPOCH, SPIKE = 400, 98.5


def store_run(root: Path, num_steps: int, name: str) -> Path:
    """A run that ended, with a record of each step and of the epochs; one loss stands out."""
    epochs = max(num_steps // STEPS_PER_EPOCH, 1)
    config = make_config({"data": "shapes10", "model": "convnet", "epochs": min(epochs, 2000)})
    request = partial(TrainRequest, config=config, device="cpu", data_title="Shapes-10")
    run_dir = create_run(root, request, name)
    losses = np.random.default_rng(0).gamma(4.0, 0.1, num_steps)
    losses[num_steps // 3] = SPIKE
    with (run_dir / "metrics.jsonl").open("wb") as file:
        for step in range(1, num_steps + 1):
            file.write(to_line(step_at(step, float(losses[step - 1]))))
            if step % STEPS_PER_EPOCH == 0:
                file.write(to_line(epoch_at(step // STEPS_PER_EPOCH)))
    best, now = epoch_at(epochs), time.time()
    status = Status(
        phase="ended",
        outcome="completed",
        started=now - 60,
        updated=now,
        ended=now + 60,
        steps_per_epoch=STEPS_PER_EPOCH,
        best=best,
        last=best,
    )
    write_typed(run_dir / layout.STATUS, status)
    return run_dir


def copy_run(run_dir: Path, number: int) -> None:
    """The same run again under another id and name; a thousand are there in seconds."""
    run_id = f"20260101-{number // 3600:02}{number // 60 % 60:02}{number % 60:02}-{number:04x}"
    copied = Path(shutil.copytree(run_dir, run_dir.parent / run_id))
    request = json.loads((copied / "request.json").read_text("utf-8"))
    request |= {"run_id": run_id, "created": datetime.fromtimestamp(number, UTC).isoformat()}
    (copied / "request.json").write_text(json.dumps(request), encoding="utf-8")
    name = {"name": f"run {number}", "notes": ""}
    (copied / "name.json").write_text(json.dumps(name), encoding="utf-8")


def step_at(step: int, loss: float) -> StepRecord:
    """A record as the engine yields it."""
    epoch = (step - 1) // STEPS_PER_EPOCH + 1
    return StepRecord(epoch, step, loss, 0.5, 0.1, 2000.0, step / 2)


def epoch_at(epoch: int) -> EpochRecord:
    """The end of an epoch."""
    step = epoch * STEPS_PER_EPOCH
    figures = (0.4, 0.8, 0.5, 0.75, 0.5, 0.74)
    return EpochRecord(epoch, step, *figures, 0.1, 2000.0, 25.0, 1.0, step / 2)


@contextmanager
def alive(run_dir: Path) -> Iterator[None]:
    """While this lasts the run is running: this process holds its lock, as its worker would."""
    status = read_status(run_dir) or Status()
    running = replace(
        status,
        phase="running",
        outcome=None,
        ended=None,
        worker=own_identity(),
        updated=time.time() + 1,
    )
    write_typed(run_dir / layout.STATUS, running)
    with FileLock(run_dir / "worker.lock"):
        yield
