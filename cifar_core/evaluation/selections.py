"""Images that somebody picked: kept with the run, named if they are to stay, linked by an id.

    <run>/selections/<id>.json   see `files.SelectionFile`

The id follows from split and indices, so the same images have the same link. The oldest unnamed
ones are dropped.
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

MOST_UNNAMED = 50
LONGEST_NAME = 60


@dataclass(frozen=True)
class Selection:
    """Some images of a split.

    Attributes:
        name: Empty if nobody named it.
        indices: Positions in the data set's training or test images, ascending.
    """

    selection_id: str
    name: str
    split: SplitName
    indices: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name or 'picked'} ({len(self.indices):,})"


def save_selection(
    run_dir: Path, split: SplitName, indices: Sequence[int], name: str | None = None
) -> Selection:
    """Keeps some images; without a name, one that was given before stays.

    Raises:
        RunError: if there is no image, the name is too long, or nothing can be written.
    """
    if not indices:
        raise RunError("There is no image to keep. Pick some first.")
    if name is not None and not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise RunError(f"A selection's name has 1 to {LONGEST_NAME} characters. Give another.")
    plain = tuple(sorted({int(index) for index in indices}))
    digest = hashlib.sha256(f"{split}:{plain}".encode()).hexdigest()[:10]
    folder = run_dir / layout.SELECTIONS
    earlier = _read(folder / f"{digest}.json")
    known = earlier.name if earlier else ""
    kept = Selection(digest, known if name is None else name.strip(), split, plain)
    try:
        folder.mkdir(exist_ok=True)
        write_typed(folder / f"{digest}.json", SelectionFile(kept.name, split, plain))
        _drop_oldest(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}). Mend its permissions, try again."
        ) from None
    return kept


def _drop_oldest(folder: Path) -> None:
    unnamed = [path for path, selection in _readable(folder) if not selection.name]
    with contextlib.suppress(FileNotFoundError):  # another session drops them as well
        for path in sorted(unnamed, key=lambda path: path.stat().st_mtime_ns)[:-MOST_UNNAMED]:
            path.unlink(missing_ok=True)


def find_selection(run_dir: Path, selection_id: str) -> Selection:
    """The selection of that id.

    Raises:
        RunError: if there is none that can be read.
    """
    path = run_dir / layout.SELECTIONS / f"{selection_id}.json"
    found = _read(path) if selection_id.isalnum() else None
    if found is None:
        raise RunError(f"There is no selection {selection_id!r} with this run. Pick images again.")
    return found


def named_selections(run_dir: Path, split: str) -> list[Selection]:
    """Those of a split that have a name, by name."""
    selections = [selection for _, selection in _readable(run_dir / layout.SELECTIONS)]
    named = [one for one in selections if one.name and one.split == split]
    return sorted(named, key=lambda one: (one.name, one.selection_id))


def delete_selection(run_dir: Path, selection_id: str) -> None:
    """Deletes a selection, if it is there; its images stay where they are."""
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
