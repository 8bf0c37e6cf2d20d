"""PNG files: one of CIFAR-10's decoded, and what Pillow would refuse left out.

Pillow inflates at most 1 MB of a text or color profile and calls a picture that has more damaged
(`PngImagePlugin.MAX_TEXT_CHUNK`). That limit stays: what only describes the pixels is left out.
"""

import io
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import DataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_MAX_INFLATED = 1 << 20  # bytes; what Pillow inflates of one chunk
# Texts in which programs write how a photo was held; Pillow reads the orientation from them.
_ORIENTATION = (b"Raw profile type exif", b"XML:com.adobe.xmp")


def decode_png(png: bytes, where: str) -> NDArray[np.uint8]:
    """Decodes one PNG to (32, 32, 3) uint8, whatever texts and profiles it carries.

    Raises:
        DataError: if it is not a PNG of 32x32 RGB pixels; `where` names the file.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(pixels_only(png)), formats=["PNG"]) as image:
            if image.size != (32, 32) or image.mode != "RGB":
                raise DataError(
                    f"{where} contains an image of {image.size[0]}x{image.size[1]} {image.mode}; "
                    "CIFAR-10 has 32x32 RGB. Use an unmodified copy."
                )
            return np.asarray(image)
    except UnidentifiedImageError:  # its text is the address of the bytes in memory
        kind = "a damaged image" if png.startswith(SIGNATURE) else "no PNG image"
        raise DataError(f"{where} contains {kind}. Download it again.") from None
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(f"{where} contains a damaged image ({error}). Download it again.") from None


def pixels_only(png: bytes) -> bytes:
    """A PNG without its texts, color profile and EXIF data; anything else as it is."""
    described = (*TEXTS, b"iCCP", b"eXIf")
    return b"".join(whole for kind, _, whole in _chunks(png) if kind not in described)


def without_long_parts(png: bytes) -> tuple[bytes, bool]:
    """A PNG with only those texts and that color profile which Pillow reads and which matter.

    Of the texts these are the ones that may hold the orientation, each once.

    Returns:
        The PNG, anything else as it is, and whether a color profile was too long to be read.
    """
    kept, seen, long_profile = [], set(), False
    for kind, content, whole in _chunks(png):
        if kind in TEXTS:
            key = content.partition(b"\0")[0]
            if key in seen or key not in _ORIENTATION or not _fits(kind, content):
                continue
            seen.add(key)
        elif kind == b"iCCP" and not _fits(kind, content):
            long_profile = True
            continue
        kept.append(whole)
    return b"".join(kept), long_profile


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, content and whole of each chunk; the signature, and what is no chunk, as kind ""."""
    if not png.startswith(SIGNATURE):
        yield b"", b"", png
        return
    yield b"", b"", SIGNATURE
    start = len(SIGNATURE)
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4])
        if end > len(png):  # cut off, which Pillow tells
            yield b"", b"", png[start:]
            return
        yield png[start + 4 : start + 8], png[start + 8 : end - 4], png[start:end]
        start = end


def _fits(kind: bytes, content: bytes) -> bool:
    """Whether Pillow inflates all of a text or color profile; also if it has none to inflate."""
    rest = content.partition(b"\0")[2]
    packed = rest[1:]
    if kind == b"tEXt" or (kind == b"iTXt" and not rest.startswith(b"\1")):
        return len(content) <= _MAX_INFLATED
    if kind == b"iTXt":  # a flag, the method, a language and a translated key come before
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    stream = zlib.decompressobj()
    try:
        stream.decompress(packed, _MAX_INFLATED)
    except zlib.error:
        return True
    return not stream.unconsumed_tail
