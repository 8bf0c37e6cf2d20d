"""An uploaded image, cropped and resized to the 32x32 RGB of the models; nothing is stored."""

import contextlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.color_profile import TOO_LONG, to_srgb
from cifar_core.data.png import without_long_parts
from cifar_core.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 32
MAX_MB = 20
MAX_MEGAPIXELS = 40
PREVIEW_SIDE = 512
ENDINGS = ("png", "jpg", "jpeg", "jfif")
_GIVE = "Upload a PNG or JPEG image."
# First bytes of files that are not accepted, or damaged.
_SIGNATURES = {
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
class UploadedImage:
    """An uploaded image, cropped and resized.

    Attributes:
        pixels: (32, 32, 3) uint8.
        box: Left, top, right, bottom of the crop, in pixels of the upright upload.
        original: (H, W, 3) uint8, the whole image with sides of at most 512 pixels.
        scale: Pixels of `original` per pixel of the upload; at most 1.
        note: Why its colors may be off, in a sentence; empty if they are not.
    """

    pixels: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    original: NDArray[np.uint8]
    scale: float
    note: str = ""


def fit_image(content: bytes) -> UploadedImage:
    """Rotates upright, converts to sRGB, shows white where it is transparent, crops the center
    square, resizes to 32x32.

    Each pixel is the mean of its area, without the halos of sharper filters.

    Args:
        content: A PNG or JPEG file of at most 20 MB and 40 megapixels.

    Raises:
        DataError: if it is anything else, or damaged.
    """
    from PIL.Image import Resampling

    image, note = _decoded(content)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return UploadedImage(
        pixels=np.asarray(image.resize((SIDE, SIDE), Resampling.BOX, box)),
        box=box,
        original=np.asarray(image.resize(small, Resampling.BOX)),
        scale=scale,
        note=note,
    )


def _decoded(content: bytes) -> "tuple[Image, str]":
    """The upright image in sRGB, and the note on its colors."""
    from PIL import Image, UnidentifiedImageError

    _check_size(content)
    readable, long_profile = without_long_parts(content)
    try:
        with Image.open(io.BytesIO(readable), formats=("PNG", "JPEG")) as image:
            _check_pixels(image.size)
            image.load()
            icc = image.info.get("icc_profile")
            _turn_upright(image)
            rgb, note = _rgb(image, icc)
            return rgb, TOO_LONG if long_profile else note
    except UnidentifiedImageError:
        raise DataError(f"This is {_kind(content)}. {_GIVE}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"The image has far more than {MAX_MEGAPIXELS} megapixels. Upload a smaller one."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise DataError(f"The image is damaged or truncated ({error}). {_GIVE}") from None


def _check_size(content: bytes) -> None:
    if not content:
        raise DataError(f"The file is empty. {_GIVE}")
    if len(content) > MAX_MB * 1_000_000:
        raise DataError(
            f"The file has {len(content) / 1e6:.1f} MB; at most {MAX_MB} are accepted. "
            "Upload a smaller image."
        )


def _check_pixels(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise DataError(
            f"The image has {width} × {height} pixels; at most {MAX_MEGAPIXELS} megapixels "
            "are accepted. Upload a smaller one."
        )


def _kind(content: bytes) -> str:
    start = content.lstrip()[:16] or content
    kinds = (kind for sign, kind in _SIGNATURES.items() if start.startswith(sign))
    return next(kinds, "not an image")


def _turn_upright(image: "Image") -> None:
    """Applies the EXIF orientation, if it can be read."""
    from PIL import ImageOps

    unreadable = (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error)
    with contextlib.suppress(*unreadable):
        ImageOps.exif_transpose(image, in_place=True)


def _rgb(image: "Image", icc: bytes | None) -> "tuple[Image, str]":
    """Converts any mode to sRGB; transparent pixels become white."""
    from PIL import Image

    if image.mode.startswith("I"):
        # Pillow would clip 16-bit gray at 255 instead of scaling it.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return to_srgb(image, icc)
    layer = image.convert("LA" if image.mode in ("L", "LA") else "RGBA")
    colors, note = to_srgb(layer, icc)
    white = Image.new("RGB", image.size, "white")
    white.paste(colors, mask=layer.getchannel("A"))
    return white, note
