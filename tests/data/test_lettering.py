"""Texts on pictures: no letter becomes a box, and what is missing is said."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cifar_core.data import lettering
from cifar_core.data.lettering import NOTE, drawable, font_for
from cifar_core.data.sheet import LINE, Captioned, captioned_sheet, enlarged

PIXELS = enlarged(np.zeros((32, 32, 3), np.uint8))
SHOWN = ("cat · 98% ± 1", "café", "γάτα", "кошка", "قطة", "חתול", "Łódź — 2")


def ink(text: str) -> np.ndarray:
    picture = Image.new("L", (300, LINE), 255)
    ImageDraw.Draw(picture).text((0, 0), text, 0, font=font_for(text))
    return 255 - np.asarray(picture)


@pytest.mark.parametrize("text", SHOWN)
def test_what_the_fonts_have_is_drawn_as_it_is(text: str) -> None:
    assert drawable(text) == text
    drawn = ink(text)
    assert drawn.any()
    box = ink("\uffff" * len(text))  # no letter: the font's box
    assert not np.array_equal(drawn, box)
    assert not drawn[-1].any(), "cut off below"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("猫", "?"),
        ("猫模型-1: 2,000 images", "?-1: 2,000 images"),
        ("बिल्ली 2", "? 2"),
        ("true 猫, predicted 犬", "true ?, predicted ?"),
        ("γάτα 猫", "γάτα ?"),
    ],
)
def test_a_run_of_letters_that_no_font_has_is_one_mark(text: str, shown: str) -> None:
    assert drawable(text) == shown


def test_latin_texts_load_no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_dejavu", lambda: pytest.fail("not needed"))
    assert drawable("café · 3") == "café · 3"
    assert font_for("café · 3").getlength("café · 3") > 0


def rows_of(heading: tuple[str, ...], *lines: str) -> int:
    with Image.open(io.BytesIO(captioned_sheet([Captioned(PIXELS, lines)], heading))) as sheet:
        return sheet.height


def test_a_sheet_with_missing_letters_says_so_in_one_more_line() -> None:
    assert NOTE.isascii()
    plain = rows_of(("a run",), "cat")
    assert rows_of(("кошка",), "γάτα") == plain
    assert rows_of(("猫",), "cat") == rows_of(("a run",), "猫") == plain + LINE
    assert captioned_sheet([Captioned(PIXELS, ("猫",))], ("a run",)) == captioned_sheet(
        [Captioned(PIXELS, ("?",))], ("a run", NOTE)
    )
