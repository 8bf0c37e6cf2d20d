"""Images that somebody selected: stored with the run, optionally named, linked by an id.

    <run>/selections/<id>.json   see `files.SelectionFile`

The id is a hash of split and indices, so the same images have the same link. The oldest unnamed
selections are deleted.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.evaluation.files import SelectionFile, SplitName
from cifar_core.records import layout
from cifar_core.system.json_files import read_typed, write_typed

MAX_UNNAMED = 50
MAX_NAME_LENGTH = 60


@dataclass(frozen=True)
class Selection:
    """Some images of a split.

    Attributes:
        name: Empty if it has none.
        indices: Positions in the data set's training or test images, ascending.
    """

    selection_id: str
    name: str
    split: SplitName
    indices: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name or 'Unnamed'} ({len(self.indices):,})"


def save_selection(
    run_dir: Path, split: SplitName, indices: Sequence[int], name: str | None = None
) -> Selection:
    """Stores a selection; without a name, an earlier name of the same images is kept.

    Raises:
        RunError: if it has no images, the name is empty or too long, or it cannot be written.
    """
    if not indices:
        raise RunError("A selection needs at least one image. Select some first.")
    if name is not None and not 1 <= len(name.strip()) <= MAX_NAME_LENGTH:
        raise RunError(f"A selection's name has 1 to {MAX_NAME_LENGTH} characters. Enter another.")
    unique = tuple(sorted({int(index) for index in indices}))
    digest = hashlib.sha256(f"{split}:{unique}".encode()).hexdigest()[:10]
    folder = run_dir / layout.SELECTIONS
    earlier = _read(folder / f"{digest}.json")
    earlier_name = earlier.name if earlier else ""
    selection = Selection(digest, earlier_name if name is None else name.strip(), split, unique)
    try:
        folder.mkdir(exist_ok=True)
        write_typed(folder / f"{digest}.json", SelectionFile(selection.name, split, unique))
        _drop_oldest(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}). Fix its permissions and try again."
        ) from None
    return selection


def _drop_oldest(folder: Path) -> None:
    unnamed = [path for path, selection in _readable(folder) if not selection.name]
    with contextlib.suppress(FileNotFoundError):  # another session may delete them too
        for path in sorted(unnamed, key=lambda path: path.stat().st_mtime_ns)[:-MAX_UNNAMED]:
            path.unlink(missing_ok=True)


def find_selection(run_dir: Path, selection_id: str) -> Selection:
    """The selection with this id.

    Raises:
        RunError: if it is missing or unreadable.
    """
    path = run_dir / layout.SELECTIONS / f"{selection_id}.json"
    selection = _read(path) if selection_id.isalnum() else None
    if selection is None:
        raise RunError(
            f"There is no selection {selection_id!r} in this run. Select the images again."
        )
    return selection


def named_selections(run_dir: Path, split: str) -> list[Selection]:
    """The named selections of a split, by name."""
    selections = [selection for _, selection in _readable(run_dir / layout.SELECTIONS)]
    named = [s for s in selections if s.name and s.split == split]
    return sorted(named, key=lambda s: (s.name, s.selection_id))


def delete_selection(run_dir: Path, selection_id: str) -> None:
    """Deletes a selection if it exists; no image is deleted."""
    if selection_id.isalnum():
        with contextlib.suppress(OSError):
            (run_dir / layout.SELECTIONS / f"{selection_id}.json").unlink(missing_ok=True)


def _read(path: Path) -> Selection | None:
    """What a file holds; None if there is none.

    Raises:
        RunError: if it is damaged.
    """
    stored = read_typed(path, SelectionFile)
    return Selection(path.stem, stored.name, stored.split, stored.indices) if stored else None


def _readable(folder: Path) -> list[tuple[Path, Selection]]:
    """The selections of a folder; damaged ones are left out."""
    pairs = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(RunError):
            if selection := _read(path):
                pairs.append((path, selection))
    return pairs
