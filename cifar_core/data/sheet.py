"""Images with captions on one PNG."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.data.arrays import Indices, Pixels
from cifar_core.data.dataset import Dataset
from cifar_core.data.lettering import NOTE, drawable, font_for

if TYPE_CHECKING:
    from PIL import ImageDraw

SCALE = 4  # of a 32x32 image
GAP = 6
LINE = 16  # pixels of a line of text
TEXT, PAPER = (30, 30, 30), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Captioned:
    """A picture and the lines below it.

    Attributes:
        pixels: (H, W, 3) uint8, drawn as they are; all of a sheet have the same size.
    """

    pixels: Pixels
    lines: tuple[str, ...]


def enlarged(pixels: Pixels, scale: int = SCALE) -> Pixels:
    """(H * scale, W * scale, 3) uint8: each pixel repeated, nothing smoothed."""
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def captioned_sheet(
    pictures: Sequence[Captioned], heading: Sequence[str], columns: int | None = None
) -> bytes:
    """A PNG of all pictures, row by row, with the heading above.

    Where the font lacks a letter of a text, the sheet says so below the heading.

    Args:
        columns: By default as many as make the sheet a little wider than high.
    """
    from PIL import Image, ImageDraw

    texts = [*heading, *(line for picture in pictures for line in picture.lines)]
    note = [NOTE] if any(drawable(text) != text for text in texts) else []
    heading = [*map(drawable, heading), *note]
    pictures = [replace(one, lines=tuple(map(drawable, one.lines))) for one in pictures]
    height, width = pictures[0].pixels.shape[:2]
    height += GAP + LINE * max(len(picture.lines) for picture in pictures)
    width = max(width, *(_text_width(picture.lines) - 2 * GAP for picture in pictures))
    ideal = round(math.sqrt(len(pictures) * height / width * 1.4))
    columns = columns or max(1, min(len(pictures), ideal))
    num_rows = -(-len(pictures) // columns)
    top = GAP + LINE * len(heading)
    size = (GAP + columns * (width + 2 * GAP), top + num_rows * (height + 2 * GAP) + GAP)
    sheet = Image.new("RGB", (max(size[0], _text_width(heading)), size[1]), PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (GAP, GAP), heading)
    for number, picture in enumerate(pictures):
        x = GAP + number % columns * (width + 2 * GAP)
        y = top + GAP + number // columns * (height + 2 * GAP)
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture.pixels)), (x, y))
        _write(draw, (x, y + picture.pixels.shape[0] + 2), picture.lines)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def split_sheet(data: Dataset, part: str, indices: Indices, columns: int | None = None) -> bytes:
    """A PNG of images of "train" or "test" with their classes and indices."""
    split = data.train if part == "train" else data.test
    pictures = [
        Captioned(enlarged(split.images[index]), (data.classes[label], f"{part} {index}"))
        for index, label in zip(indices.tolist(), split.labels[indices], strict=True)
    ]
    return captioned_sheet(pictures, (f"{data.title}: {len(indices):,} {part} images",), columns)


def _write(draw: "ImageDraw.ImageDraw", place: tuple[int, int], lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        draw.text((place[0], place[1] + number * LINE), line, TEXT, font=font_for(line))


def _text_width(lines: Sequence[str]) -> int:
    return 2 * GAP + max((math.ceil(font_for(line).getlength(line)) for line in lines), default=0)
