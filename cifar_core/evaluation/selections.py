"""Images that somebody picked: kept with the run, named if they are to stay, linked by an id.

    <run>/selections/<id>.json   name, split, indices

The id follows from split and indices, so the same images have the same link. The oldest unnamed
ones are dropped.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.system.files import read_json, write_json

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
    split: str
    indices: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name or 'picked'} ({len(self.indices):,})"


def save_selection(
    run_dir: Path, split: str, indices: Sequence[int], name: str | None = None
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
    folder = run_dir / "selections"
    earlier = _read(folder / f"{digest}.json")
    known = earlier.name if earlier else ""
    kept = Selection(digest, known if name is None else name.strip(), split, plain)
    try:
        folder.mkdir(exist_ok=True)
        write_json(folder / f"{digest}.json", asdict(kept))
        _drop_oldest(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}). Mend its permissions, try again."
        ) from None
    return kept


def _drop_oldest(folder: Path) -> None:
    unnamed = [path for path in folder.glob("*.json") if (s := _read(path)) and not s.name]
    with contextlib.suppress(FileNotFoundError):  # another session drops them as well
        for path in sorted(unnamed, key=lambda path: path.stat().st_mtime_ns)[:-MOST_UNNAMED]:
            path.unlink(missing_ok=True)


def find_selection(run_dir: Path, selection_id: str) -> Selection:
    """The selection of that id.

    Raises:
        RunError: if there is none that can be read.
    """
    path = run_dir / "selections" / f"{selection_id}.json"
    found = _read(path) if selection_id.isalnum() else None
    if found is None:
        raise RunError(f"There is no selection {selection_id!r} with this run. Pick images again.")
    return found


def named_selections(run_dir: Path, split: str) -> list[Selection]:
    """Those of a split that have a name, by name."""
    found = [_read(path) for path in run_dir.glob("selections/*.json")]
    named = [one for one in found if one and one.name and one.split == split]
    return sorted(named, key=lambda one: (one.name, one.selection_id))


def delete_selection(run_dir: Path, selection_id: str) -> None:
    """Deletes a selection, if it is there; its images stay where they are."""
    if selection_id.isalnum():
        with contextlib.suppress(OSError):
            (run_dir / "selections" / f"{selection_id}.json").unlink(missing_ok=True)


def _read(path: Path) -> Selection | None:
    """What a file holds; None if it is missing or damaged."""
    match read_json(path):
        case {"name": str(name), "split": str(split), "indices": [*indices]} if all(
            isinstance(index, int) for index in indices
        ):
            return Selection(path.stem, name, split, tuple(indices))
    return None
