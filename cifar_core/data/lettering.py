"""The font of texts on pictures, and what stands for letters that it lacks."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

MISSING = "?"
NOTE = f"{MISSING}: letters that the font of this picture lacks"
LATIN_1 = 0xFF


def drawable(text: str) -> str:
    """The text, each run of letters without a glyph replaced by `MISSING`."""
    if _is_latin(text):
        return text
    glyphs = _glyphs()
    shown = "".join(c if c.isspace() or ord(c) in glyphs else "\0" for c in text)
    return re.sub("\0+", MISSING, shown)


def font_for(text: str) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """Pillow's own font for Latin-1; else DejaVu Sans, which has most letters of living alphabets.

    It has Greek, Cyrillic, Arabic and Hebrew, but neither Chinese nor the scripts of India.
    """
    from PIL import ImageFont

    return ImageFont.load_default(13) if _is_latin(text) else ImageFont.truetype(_dejavu(), 12)


def _is_latin(text: str) -> bool:
    return all(ord(character) <= LATIN_1 for character in text)


@functools.cache
def _glyphs() -> frozenset[int]:
    """The code points that DejaVu Sans has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(_dejavu()).get_charmap())


def _dejavu() -> str:
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
