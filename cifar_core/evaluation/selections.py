"""Images that somebody selected: stored with the run, optionally named, linked by an id.

    <run>/selections/<id>.json   name, split, indices

The id is a hash of split and indices, so the same images have the same link. The oldest unnamed
selections are deleted.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.system.files import read_json, write_json

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
    split: str
    indices: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name or 'Unnamed'} ({len(self.indices):,})"


def save_selection(
    run_dir: Path, split: str, indices: Sequence[int], name: str | None = None
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
    folder = run_dir / "selections"
    earlier = _read(folder / f"{digest}.json")
    earlier_name = earlier.name if earlier else ""
    selection = Selection(digest, earlier_name if name is None else name.strip(), split, unique)
    try:
        folder.mkdir(exist_ok=True)
        write_json(folder / f"{digest}.json", asdict(selection))
        _drop_oldest(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}). Fix its permissions and try again."
        ) from None
    return selection


def _drop_oldest(folder: Path) -> None:
    unnamed = [path for path in folder.glob("*.json") if (s := _read(path)) and not s.name]
    with contextlib.suppress(FileNotFoundError):  # another session may delete them too
        for path in sorted(unnamed, key=lambda path: path.stat().st_mtime_ns)[:-MAX_UNNAMED]:
            path.unlink(missing_ok=True)


def find_selection(run_dir: Path, selection_id: str) -> Selection:
    """The selection with this id.

    Raises:
        RunError: if it is missing or unreadable.
    """
    path = run_dir / "selections" / f"{selection_id}.json"
    selection = _read(path) if selection_id.isalnum() else None
    if selection is None:
        raise RunError(
            f"There is no selection {selection_id!r} in this run. Select the images again."
        )
    return selection


def named_selections(run_dir: Path, split: str) -> list[Selection]:
    """The named selections of a split, by name."""
    selections = [_read(path) for path in run_dir.glob("selections/*.json")]
    named = [s for s in selections if s and s.name and s.split == split]
    return sorted(named, key=lambda s: (s.name, s.selection_id))


def delete_selection(run_dir: Path, selection_id: str) -> None:
    """Deletes a selection if it exists; no image is deleted."""
    if selection_id.isalnum():
        with contextlib.suppress(OSError):
            (run_dir / "selections" / f"{selection_id}.json").unlink(missing_ok=True)


def _read(path: Path) -> Selection | None:
    """The selection in a file; None if it is missing or damaged."""
    match read_json(path):
        case {"name": str(name), "split": str(split), "indices": [*indices]} if all(
            isinstance(index, int) for index in indices
        ):
            return Selection(path.stem, name, split, tuple(indices))
    return None
