"""What commands print of runs: a table, a line, or JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cifar_core.records.records import EpochRecord
from cifar_core.runs.pace import Pace
from cifar_core.runs.store import LRTestRun, Run, TrainingRun, disk_bytes, read_run


def describe(run: Run) -> dict[str, Any]:
    """A run as JSON tells it."""
    status = run.status
    trains = isinstance(run, TrainingRun | LRTestRun)
    return {
        "run_id": run.run_id,
        "name": run.name,
        "state": str(run.state),
        "reason": run.reason,
        "created": run.created.isoformat(),
        "best_acc": run.best_acc if isinstance(run, TrainingRun) else None,
        "best": asdict(status.best) if status.best else None,
        "last": asdict(status.last) if status.last else None,
        "config": run.config.model_dump(mode="json") if trains else None,
        "runtime": asdict(status.runtime) if status.runtime else None,
        "data": run.data_title,
        "notes": run.notes,
        "folder": str(run.path),
        "disk_bytes": disk_bytes(run),
    }


def print_table(runs: Sequence[TrainingRun]) -> None:
    """A line per run."""
    print(f"{'name':20} {'state':12} {'model':10} {'epochs':>7} {'best':>7} {'MB':>7}  started")
    for run in runs:
        done = run.status.last.epoch if run.status.last else 0
        best = "" if run.best_acc is None else f"{run.best_acc:.2%}"
        size = disk_bytes(run) / 1e6
        print(
            f"{run.name:20} {run.state:12} {run.config.model:10} "
            f"{f'{done}/{run.config.epochs}':>7} {best:>7} {size:>7,.1f}  "
            f"{run.created:%Y-%m-%d %H:%M} UTC"
        )


def print_run(run_dir: Path, as_json: bool) -> None:
    """What was started or has ended."""
    run = read_run(run_dir)
    if as_json:
        print(json.dumps(describe(run)))
        return
    acc = run.best_acc if isinstance(run, TrainingRun) else None
    best = f", best accuracy {acc:.2%}" if acc is not None else ""
    print(f"{run.name} ({run.run_id}): {run.state}{best}. {run.reason}".rstrip())


def epoch_line(epoch: EpochRecord) -> str:
    """The figures of an epoch."""
    val = "" if epoch.val_acc is None else f"  val {epoch.val_loss:.4f} {epoch.val_acc:.2%}"
    return (
        f"epoch {epoch.epoch:3}  train {epoch.train_loss:.4f} {epoch.train_acc:.2%}{val}  "
        f"test {epoch.test_loss:.4f} {epoch.test_acc:.2%}  {epoch.images_per_s:,.0f} images/s"
    )


def pace_line(run: TrainingRun, pace: Pace) -> str:
    """Epoch, speed and time left, to stand behind the state; nothing before the first figures."""
    if pace.images_per_s is None or pace.left_s is None:
        return ""
    left = f"{pace.left_s / 60:.0f} min" if pace.left_s > 120 else f"{pace.left_s:.0f} s"
    at = f"epoch {pace.epoch}/{run.config.epochs}"
    return f", {at}, {pace.images_per_s:,.0f} images/s, {left} left"
