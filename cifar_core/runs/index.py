"""All jobs of a folder, read once; what has not changed on disk since is not read again."""

import os
from dataclasses import dataclass
from pathlib import Path

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.errors import CifarCoreError
from cifar_core.records import layout
from cifar_core.runs.store import AnyRun, Run, TrainingRun, disk_bytes, read_run
from cifar_core.system.paths import shipped_root

Signature = tuple[int, ...]


@dataclass(frozen=True)
class Listed:
    """A job as it was when its folder last changed.

    Attributes:
        run: None if it cannot be read.
        why: Why it cannot; else empty.
        num_bytes: What it occupies.
        has_checkpoint: Whether it has one that counts.
    """

    signature: Signature
    run: Run | None
    why: str = ""
    num_bytes: int = 0
    has_checkpoint: bool = False


@dataclass(frozen=True)
class Listing:
    """All jobs of a folder at one moment."""

    entries: dict[Path, Listed]

    def listed(self, kind: type[Run] = TrainingRun) -> list[Listed]:
        """The readable jobs of a kind, newest first."""
        entries = [entry for entry in self.entries.values() if isinstance(entry.run, kind)]
        return sorted(entries, key=_newest, reverse=True)

    def runs(self, kind: type[AnyRun] = TrainingRun) -> list[AnyRun]:
        """As `store.list_runs`."""
        return [entry.run for entry in self.listed(kind) if isinstance(entry.run, kind)]

    def trained(self) -> list[TrainingRun]:
        """The trainings that have a checkpoint, newest first."""
        return [
            entry.run
            for entry in self.listed()
            if isinstance(entry.run, TrainingRun) and entry.has_checkpoint
        ]

    def unreadable(self) -> list[tuple[Path, str]]:
        """As `store.unreadable`."""
        return [(path, entry.why) for path, entry in self.entries.items() if entry.why]


class RunIndex:
    """Holds what was read of each job; an active one is read anew each time it is asked for.

    Several threads may use one: each puts whole entries in the place of whole entries.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Listed] = {}

    def now(self) -> Listing:
        """What is there now."""
        folders = [*_folders_in(self.root)]
        if (shipped := shipped_root()) != self.root:
            folders += _folders_in(shipped)
        entries = {folder: entry for folder in folders if (entry := self._entry(folder))}
        self._known = entries
        return Listing({Path(folder): entry for folder, entry in entries.items()})

    def _entry(self, folder: str) -> Listed | None:
        """What lies in a folder; None if that is no job."""
        known, signature = self._known.get(folder), _signature(folder)
        if known and known.run and known.signature == signature and not known.run.state.is_active:
            return known
        path = Path(folder)
        if not (path / layout.REQUEST).exists():
            return None
        try:
            run = read_run(path, root=self.root)
        except CifarCoreError as error:
            return Listed(signature, None, str(error))
        return Listed(signature, run, "", disk_bytes(run), bool(list_checkpoints(path)))


def _folders_in(root: Path) -> list[str]:
    try:
        return [f"{root}/{name}" for name in os.listdir(root) if not name.startswith(".")]
    except OSError:
        return []


def _newest(entry: Listed) -> tuple[object, str]:
    assert entry.run
    return entry.run.created, entry.run.run_id


def _signature(path: str) -> Signature:
    """When a file was last put into a job's folder, or a table among its tables.

    Everything that says something of a job is moved into its place, which changes the folder.
    """
    entries: list[int] = []
    for folder in (path, f"{path}/{layout.PREDICTIONS}"):
        try:
            entries.append(os.stat(folder).st_mtime_ns)
        except OSError:
            entries.append(0)
    return tuple(entries)
