"""What may be a run's name: letters of any script, however they are composed."""

import unicodedata

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
