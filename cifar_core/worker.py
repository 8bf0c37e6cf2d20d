"""The process that does one job: python -m cifar_core.worker RUN_DIR. It alone writes results."""

import errno
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from cifar_core.errors import CifarCoreError, RunError
from cifar_core.files import read_json, write_json
from cifar_core.identity import own_identity
from cifar_core.launch import turn_on_device
from cifar_core.records import EpochRecord, Record, StageRecord, to_line
from cifar_core.runs import RunState

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from cifar_core.batches import TrainingBatches
    from cifar_core.config import TrainConfig
    from cifar_core.engine import TrainState

LOG_LIMIT, LOG_KEEP = 5_000_000, 500_000  # bytes of worker.log


class Worker:
    """One job while it is being done: its folder, its status, its records.

    Attributes:
        terminated: A SIGTERM came.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.status: dict[str, Any] = {"phase": "queued", "worker": own_identity()}
        self.metrics = os.open(run_dir / "metrics.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.terminated = False
        signal.signal(signal.SIGTERM, self._on_sigterm)
        self.update()

    def _on_sigterm(self, number: int, frame: object) -> None:
        self.terminated = True

    def should_stop(self) -> bool:
        """Whether somebody asked for the end."""
        return self.terminated or (self.run_dir / "stop").exists()

    def update(self, **values: Any) -> None:
        """Writes the status with these values changed."""
        self.status |= {**values, "updated": time.time()}
        write_json(self.run_dir / "status.json", self.status)

    def record(self, record: Record) -> None:
        """Appends a record, whole, by a single write."""
        line = to_line(record)
        if os.write(self.metrics, line) != len(line):
            raise OSError(errno.ENOSPC, "a record was written in part")

    def end(self, outcome: RunState, reason: str = "", trace: str = "") -> None:
        """The exit record: after it the state never changes."""
        os.fsync(self.metrics)
        ended = {"phase": "ended", "outcome": str(outcome), "reason": reason, "ended": time.time()}
        self.update(**ended, traceback=trace)


def main(run_dir: Path) -> int:
    """Does the job in `run_dir`; returns the exit code."""
    lock = FileLock(run_dir / "worker.lock")
    lock.acquire(timeout=10)
    faulthandler.enable()
    threading.Thread(target=_cap_log, args=(run_dir / "worker.log",), daemon=True).start()
    worker = Worker(run_dir)
    try:
        request = read_json(run_dir / "request.json") or {}
        outcome = _JOBS[request["kind"]](worker, request)
    except CifarCoreError as error:
        return _failed(worker, str(error))
    except MemoryError:
        return _failed(worker, "The machine ran out of memory. Take a smaller batch_size.")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = (
            f"The disk of {run_dir.parent} is full." if full else f"{type(error).__name__}: {error}"
        )
        return _failed(worker, why)
    except Exception as error:  # noqa: BLE001 # the last place where a bug can be told to the user
        return _failed(worker, _sentence(error))
    if worker.terminated and outcome is RunState.STOPPED:
        worker.end(RunState.FAILED, "Ended by SIGTERM; a checkpoint was kept.")
        return 1
    worker.end(outcome, "Stopped as asked." if outcome is RunState.STOPPED else "")
    return 0


def _failed(worker: Worker, reason: str) -> int:
    trace = traceback.format_exc()
    sys.stderr.write(trace)
    worker.end(RunState.FAILED, reason, trace)
    return 1


def _sentence(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "The GPU ran out of memory. Take a smaller batch_size or a smaller model."
    return f"{type(error).__name__}: {error}"


def _cap_log(path: Path) -> None:
    """Keeps the log below its limit; what prints endlessly must not fill the disk."""
    while True:
        time.sleep(1)
        try:
            if path.stat().st_size > LOG_LIMIT:
                with path.open("r+b") as stream:
                    stream.seek(-LOG_KEEP, os.SEEK_END)
                    tail = stream.read()
                    stream.seek(0)
                    stream.truncate()
                    stream.write(b"[earlier lines were dropped]\n" + tail)
        except OSError:
            continue


def _train(worker: Worker, request: dict[str, Any]) -> RunState:
    with turn_on_device(worker.run_dir, request["device"], worker.should_stop) as my_turn:
        if not my_turn:
            return RunState.STOPPED
        worker.update(phase="starting", started=time.time())
        config, batches, state = _set_up(worker, request)
        return _run_epochs(worker, config, batches, state)


def _set_up(
    worker: Worker, request: dict[str, Any]
) -> "tuple[TrainConfig, TrainingBatches, TrainState]":
    from cifar_core.batches import TrainingBatches
    from cifar_core.config import make_config
    from cifar_core.data import open_dataset
    from cifar_core.engine import TrainState
    from cifar_core.runtime import choose_runtime

    config = make_config(request["config"])
    runtime = choose_runtime(request["device"], config.precision, config.memory_format)
    data = open_dataset(config.data)
    if request.get("fingerprint", data.fingerprint) != data.fingerprint:
        raise RunError(f"{data.title} is not the data this run was started with. Start a new run.")
    batches = TrainingBatches(config, data, runtime)
    state = TrainState(config, batches, runtime)
    worker.update(
        phase="running",
        runtime=asdict(runtime),
        data_title=data.title,
        fingerprint=data.fingerprint,
        steps_per_epoch=batches.steps_per_epoch,
        versions=_versions(),
    )
    return config, batches, state


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    names = ("torch", "torchvision", "albumentations", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _run_epochs(
    worker: Worker, config: "TrainConfig", batches: "TrainingBatches", state: "TrainState"
) -> RunState:
    from cifar_core.engine import train

    events = _event_writer(worker, config)
    for record in train(config, batches.data, state, batches):
        if record.kind != "eval":
            worker.record(record)
            _write_events(events, record)
        if isinstance(record, EpochRecord):
            _keep(worker, config, batches, state, record)
        if worker.should_stop() and state.epoch < config.epochs:
            if not isinstance(record, EpochRecord):
                _save(worker, config, batches, state, "last", {})
            return RunState.STOPPED
    return RunState.COMPLETED


def _keep(
    worker: Worker,
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    record: EpochRecord,
) -> None:
    """Keeps the epoch, and the best one so far; only then does the status speak of it."""
    figures = asdict(record)
    _save(worker, config, batches, state, "last", figures)
    best = worker.status.get("best")
    if record.val_acc is not None and (best is None or record.val_acc > best["val_acc"]):
        _save(worker, config, batches, state, "best", figures)
        best = figures
    worker.update(last=figures, best=best)


def _save(
    worker: Worker,
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
    role: str,
    figures: dict[str, Any],
) -> None:
    from cifar_core.checkpoint import save_checkpoint

    data = batches.data
    facts = {
        "model": config.model,
        "data": data.title,
        "fingerprint": data.fingerprint,
        "classes": data.classes,
        "mean": data.mean.tolist(),
        "std": data.std.tolist(),
        "figures": figures,
    }
    save_checkpoint(worker.run_dir, role, state, facts)


def _event_writer(worker: Worker, config: "TrainConfig") -> "SummaryWriter | None":
    if not config.tensorboard:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(worker.run_dir / "tensorboard"))


def _write_events(events: "SummaryWriter | None", record: Record) -> None:
    if events is None:
        return
    values = asdict(record)
    for name, value in values.items():
        if isinstance(value, float):
            events.add_scalar(f"{record.kind}/{name}", value, values["step"])
    if isinstance(record, EpochRecord):
        events.flush()


def _get_data(worker: Worker, request: dict[str, Any]) -> RunState:
    from cifar_core.data.download import download_cifar10
    from cifar_core.data.store import prepare
    from cifar_core.data.transfer import Progress
    from cifar_core.places import cache_dir

    worker.update(phase="running", started=time.time())
    path = request["path"] or str(cache_dir() / "downloads")
    work: list[Callable[[], Any]] = [lambda: prepare(path, request["accept_altered"])]
    if request["origin"] != "folder":
        work.insert(0, lambda: download_cifar10(Path(path), request["origin"], request["mirror"]))
    shown_at = 0.0
    for begin in work:
        progress: Progress
        for progress in begin():
            if worker.should_stop():
                return RunState.STOPPED
            if time.monotonic() - shown_at > 0.3 or progress.done == progress.total:
                worker.record(StageRecord(**asdict(progress)))
                shown_at = time.monotonic()
    return RunState.COMPLETED


_JOBS: dict[str, Callable[[Worker, dict[str, Any]], RunState]] = {
    "train": _train,
    "data": _get_data,
}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
