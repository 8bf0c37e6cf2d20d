"""Jobs on disk: one folder each, one type per kind; see `records.layout` for the files."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError, RunError
from cifar_core.records import layout
from cifar_core.records.records import EpochRecord
from cifar_core.runs.files import Status, read_name, read_status
from cifar_core.runs.folders import all_run_dirs, run_dirs
from cifar_core.runs.names import normalized
from cifar_core.runs.requests import (
    AnalysisRequest,
    DataRequest,
    LRTestRequest,
    Request,
    TrainRequest,
    read_request,
)
from cifar_core.runs.states import RunState, compute_state
from cifar_core.system.files import folder_bytes, refuse_links
from cifar_core.system.paths import runs_root, shipped_root


@dataclass(frozen=True)
class Run:
    """A job as it was at the moment of reading.

    Attributes:
        reason: Why it ended as it did, one sentence; empty while it runs.
        derived: Where what is made from it later is written: its own folder; of a shipped run,
            which nobody changes, a folder among one's own runs.
    """

    path: Path
    name: str
    notes: str
    state: RunState
    reason: str
    request: Request
    status: Status
    derived: Path

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the package, and so cannot be changed."""
        return self.derived != self.path

    @property
    def run_id(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def kind(self) -> str:
        """What kind of job it is."""
        return self.request.kind

    @property
    def created(self) -> datetime:
        """When it was asked for."""
        return self.request.created

    @property
    def data_title(self) -> str:
        """The data it is about, as far as they are known."""
        return self.status.data_title

    @property
    def took_s(self) -> float | None:
        """Seconds that it has taken, once it has ended."""
        started, ended = self.status.started, self.status.ended
        if started is None or ended is None:
            return None
        if self.status.elapsed is not None:
            return self.status.elapsed
        return max(ended - started, 0.0)  # as early versions kept it, by a clock that may be set


@dataclass(frozen=True)
class _WithConfig(Run):
    """A job that trains a model."""

    request: TrainRequest | LRTestRequest

    @property
    def config(self) -> TrainConfig:
        """Its settings."""
        return self.request.config

    @property
    def data_title(self) -> str:
        """What the config names, as long as nobody has opened that."""
        return self.status.data_title or self.request.data_title or self.config.data


@dataclass(frozen=True)
class TrainingRun(_WithConfig):
    """A training."""

    request: TrainRequest

    @property
    def figures(self) -> EpochRecord | None:
        """Those of the best epoch; of the newest if nothing is held out."""
        return self.status.best or self.status.last

    @property
    def best_acc(self) -> float | None:
        """Validation accuracy of the best epoch; of the test images if nothing is held out."""
        if self.figures is None:
            return None
        held_out = self.figures.val_acc
        return self.figures.test_acc if held_out is None else held_out


@dataclass(frozen=True)
class LRTestRun(_WithConfig):
    """An LR test."""

    request: LRTestRequest

    @property
    def lr_test(self) -> LRTestConfig:
        """The settings of the test itself."""
        return self.request.find


@dataclass(frozen=True)
class DataJob(Run):
    """A download or import of CIFAR-10."""

    request: DataRequest


@dataclass(frozen=True)
class AnalysisJob(Run):
    """A job about a checkpoint of a training."""

    request: AnalysisRequest


AnyRun = TypeVar("AnyRun", bound=Run)


def list_runs(root: Path, kind: type[AnyRun] = TrainingRun) -> list[AnyRun]:
    """All jobs of a kind, newest first; what cannot be read is left out."""
    runs = [run for run in _readable(root) if isinstance(run, kind)]
    return sorted(runs, key=lambda run: (run.created, run.run_id), reverse=True)


def _readable(root: Path) -> Iterator[Run]:
    for path in all_run_dirs(root):
        with contextlib.suppress(CifarCoreError):
            yield read_run(path, root=root)


def unreadable(root: Path) -> list[tuple[Path, str]]:
    """The folders that hold a request but are no readable job, and why."""
    damaged = []
    for path in run_dirs(root):
        try:
            read_run(path)
        except CifarCoreError as error:
            damaged.append((path, str(error)))
    return damaged


def find_run(root: Path, text: str, kind: type[AnyRun] = Run) -> AnyRun:
    """The run of that id or name; an id wins over a name.

    Raises:
        RunError: if there is none, it is damaged, or several have the name.
    """
    for folder in (root, shipped_root()):
        if _is_id(folder, text) and isinstance(run := read_run(folder / text, root=root), kind):
            return run
    found = (read_run(path, root=root) for path in _named(root, text))
    named = [run for run in found if isinstance(run, kind)]
    if len(named) > 1:
        ids = " and ".join(sorted(run.run_id for run in named))
        raise RunError(f"{text!r} is the name of {len(named)} runs. Give an id: {ids}.")
    if named:
        return named[0]
    known = ", ".join(sorted(run.name for run in list_runs(root, kind))[:8])
    known = known or "none yet; start one with: python -m cifar_core train"
    raise RunError(f"There is no run {text!r}. Known: {known}.")


def _is_id(root: Path, text: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # what no file system takes as a name
        return Path(text).name == text and (root / text / layout.REQUEST).exists()
    return False


def _named(root: Path, name: str) -> Iterator[Path]:
    wanted = normalized(name)
    for path in all_run_dirs(root):
        with contextlib.suppress(RunError):
            if normalized(read_name(path).name) == wanted:
                yield path


def read_run(path: Path, kind: type[AnyRun] = Run, root: Path | None = None) -> AnyRun:
    """Reads one job.

    Args:
        root: Folder of one's own runs, for what is made from a shipped one; by default `runs_root`.

    Raises:
        RunError: if it is missing, of another kind, or one of its files damaged.
    """
    request = read_request(path)
    if request is None:
        raise RunError(f"{path.name} has no {layout.REQUEST}; it is not a run.")
    refuse_links(path)
    note, status = read_name(path), read_status(path) or Status()
    now = compute_state(path, request.created, status)
    overlay = (root or runs_root()) / layout.OF_SHIPPED / path.name
    derived = overlay if path.parent == shipped_root() else path
    run = _KINDS[type(request)](path, note.name, note.notes, *now, request, status, derived)
    if not isinstance(run, kind):
        raise RunError(f"{run.name} is a job of kind {run.kind!r}. Choose another one.")
    return run


_KINDS: dict[type[Request], type[Run]] = {
    TrainRequest: TrainingRun,
    LRTestRequest: LRTestRun,
    DataRequest: DataJob,
    AnalysisRequest: AnalysisJob,
}


def derived_dir(run: Run) -> Path:
    """Where what is made from a run is written; a folder that was deleted is not made again."""
    if run.is_shipped:
        run.derived.mkdir(parents=True, exist_ok=True)
    return run.derived


def disk_bytes(run: Run) -> int:
    """Its bytes on the disk."""
    return folder_bytes(run.path)
