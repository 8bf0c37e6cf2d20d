"""What may be a run's name: letters of any script, however they are composed; which are free."""

import contextlib
import unicodedata
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.runs.files import read_name
from cifar_core.runs.folders import all_run_dirs

MAX_NAME = 60
MARKS = ".,+=()#-_"
# Persian and Hindi are written with these.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def normalized(name: str) -> str:
    """A name without outer spaces, its letters composed, as however it was typed it looks.

    Source: Unicode Standard Annex 15, form NFC.
    """
    return unicodedata.normalize("NFC", name).strip()


def is_name(text: str) -> bool:
    """Whether it has only letters and digits of any script, spaces, and what may stand between."""
    kinds = [unicodedata.category(character)[0] for character in text]
    fits = all(
        kind in "LN" or character in f" {MARKS}" or ((kind == "M" or character in JOINERS) and at)
        for at, (kind, character) in enumerate(zip(kinds, text, strict=True))
    )
    return fits and 1 <= len(text) <= MAX_NAME and (kinds[0] in "LN" or text[0] == "_")


def check_name(root: Path, name: str, but: str = "") -> str:
    """Returns the name without outer spaces; `but` is the run that may keep it.

    Raises:
        RunError: if it is empty, too long, has unfit characters, or is taken.
    """
    name = normalized(name)
    if not is_name(name):
        raise RunError(
            f"{name!r} is not accepted as a name; give 1 to {MAX_NAME} letters, digits, spaces and "
            f"{' '.join(MARKS)}, starting with a letter, a digit or _; no slashes."
        )
    for path in all_run_dirs(root):
        if path.name != but and name in (path.name, normalized(_name_of(path))):
            raise RunError(f"There is already a run named {name!r}. Choose another name.")
    return name


def free_name(root: Path, stem: str) -> str:
    """`stem-1`, or with the next number that is free."""
    taken = {_name_of(path) for path in all_run_dirs(root)}
    return next(name for n in range(1, 100_000) if (name := f"{stem}-{n}") not in taken)


def _name_of(run_dir: Path) -> str:
    """The name of a job; nothing if that is damaged."""
    with contextlib.suppress(RunError):
        return read_name(run_dir).name
    return ""
