"""An uploaded picture made into what the models take: 32x32 pixels, RGB; nothing is stored."""

import contextlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 32
MAX_MB = 20
MAX_MEGAPIXELS = 40
PREVIEW_SIDE = 512
_GIVE = "Give a PNG or JPEG image."
# How files begin that people take for pictures, or that are pictures of a kind not accepted.
_BEGINNINGS = {
    b"\x89PNG": "a damaged PNG",
    b"\xff\xd8": "a damaged JPEG",
    b"GIF8": "a GIF",
    b"<svg": "an SVG",
    b"<?xml": "an XML or SVG file",
    b"SIMPLE  =": "a FITS file",
    b"RIFF": "a WebP or other RIFF file",
    b"BM": "a BMP",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"%PDF": "a PDF",
    b"\0\0\0": "a HEIC, AVIF or video file",
    b"PK": "a ZIP archive",
}


@dataclass(frozen=True)
class OwnImage:
    """A picture, fitted.

    Attributes:
        pixels: (32, 32, 3) uint8.
        box: Left, top, right, bottom of the crop in the upright original, in its pixels.
        original: (H, W, 3) uint8, the whole picture with at most 512 pixels a side.
        scale: Pixels of `original` per pixel of the picture that was given; at most 1.
    """

    pixels: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    original: NDArray[np.uint8]
    scale: float


def fit_image(content: bytes) -> OwnImage:
    """Turns upright, lays over white, crops the middle square and shrinks it to 32x32.

    Each pixel becomes the mean of its own patch, without the halos of sharper filters.

    Args:
        content: A PNG or JPEG file of at most 20 MB and 40 megapixels.

    Raises:
        DataError: if it is anything else, or damaged.
    """
    from PIL.Image import Resampling

    picture = _decoded(content)
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return OwnImage(
        pixels=np.asarray(picture.resize((SIDE, SIDE), Resampling.BOX, box)),
        box=box,
        original=np.asarray(picture.resize(small, Resampling.BOX)),
        scale=scale,
    )


def _decoded(content: bytes) -> "Image":
    """The upright picture in RGB."""
    from PIL import Image, UnidentifiedImageError

    _check_size(content)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            _check_pixels(picture.size)
            picture.load()
            _turn_upright(picture)
            return _rgb(picture)
    except UnidentifiedImageError:
        raise DataError(f"This is {_kind(content)}. {_GIVE}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"The image has far more than {MAX_MEGAPIXELS} megapixels. Give a smaller one."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise DataError(f"The image is damaged or cut short ({error}). {_GIVE}") from None


def _check_size(content: bytes) -> None:
    if not content:
        raise DataError(f"The file is empty. {_GIVE}")
    if len(content) > MAX_MB * 1_000_000:
        raise DataError(
            f"The file has {len(content) / 1e6:.1f} MB; at most {MAX_MB} are accepted. "
            "Give a smaller image."
        )


def _check_pixels(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise DataError(
            f"The image has {width} × {height} pixels; at most {MAX_MEGAPIXELS} megapixels "
            "are accepted. Give a smaller one."
        )


def _kind(content: bytes) -> str:
    start = content.lstrip()[:16] or content
    return next((kind for sign, kind in _BEGINNINGS.items() if start.startswith(sign)), "no image")


def _turn_upright(picture: "Image") -> None:
    """Turns it as its EXIF orientation says; leaves it as it is where that cannot be read."""
    from PIL import ImageOps

    unreadable = (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error)
    with contextlib.suppress(*unreadable):
        ImageOps.exif_transpose(picture, in_place=True)


def _rgb(picture: "Image") -> "Image":
    """Any mode to RGB; what is transparent shows white."""
    from PIL import Image

    if picture.mode.startswith("I"):
        # Pillow would cut 16-bit grey off at 255 instead of scaling it.
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer)
    return white
