"""All jobs of a folder, read once; what has not changed on disk since is not read again."""

from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import CifarCoreError
from cifar_core.runs import Run, disk_bytes, read_run, run_dirs

Signature = tuple[int, ...]
_FILES = ("", "request.json", "status.json", "start.json", "name.json", "stop", "tables")


@dataclass(frozen=True)
class Listed:
    """A job as it was when its files last changed.

    Attributes:
        run: None if it cannot be read.
        why: Why it cannot; else empty.
        num_bytes: What it occupies.
    """

    signature: Signature
    run: Run | None
    why: str
    num_bytes: int


class RunIndex:
    """Holds what was read of each job; an active one is read anew each time it is asked for.

    Several threads may use one: each puts whole entries in the place of whole entries.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, Listed] = {}

    def listed(self, kind: str | None = "train") -> list[Listed]:
        """The readable jobs of a kind, newest first."""
        found = [entry for entry in self._entries() if _is(entry.run, kind)]
        return sorted(found, key=_newest, reverse=True)

    def runs(self, kind: str | None = "train") -> list[Run]:
        """As `runs.list_runs`."""
        return [entry.run for entry in self.listed(kind) if entry.run]

    def unreadable(self) -> list[tuple[Path, str]]:
        """As `runs.unreadable`."""
        return [(path, entry.why) for path, entry in self._items() if entry.why]

    def _entries(self) -> list[Listed]:
        return [entry for _, entry in self._items()]

    def _items(self) -> list[tuple[Path, Listed]]:
        paths = run_dirs(self.root)
        items = [(path, self._entry(path)) for path in paths]
        self._known = dict(items)
        return items

    def _entry(self, path: Path) -> Listed:
        known, signature = self._known.get(path), _signature(path)
        if known and known.signature == signature and not (known.run and known.run.state.is_active):
            return known
        try:
            run = read_run(path)
        except CifarCoreError as error:
            return Listed(signature, None, str(error), 0)
        return Listed(signature, run, "", disk_bytes(run))


def _is(run: Run | None, kind: str | None) -> bool:
    return run is not None and kind in (None, run.kind)


def _newest(entry: Listed) -> tuple[object, str]:
    assert entry.run
    return entry.run.created, entry.run.run_id


def _signature(path: Path) -> Signature:
    """When each file that says something of a job was last changed, and which file it is."""
    found = []
    for name in _FILES:
        try:
            facts = (path / name).stat()
            found += [facts.st_mtime_ns, facts.st_ino]
        except OSError:
            found += [0, 0]
    return tuple(found)
