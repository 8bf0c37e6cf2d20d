"""Images, maps and overlays as one PNG with captions."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cifar_core.data.arrays import Floats, Pixels
from cifar_core.explain.overlay import heatmap, overlay

SCALE = 4  # of a 32x32 image
GAP = 6
LINE = 16  # pixels of a line of text
TEXT, PAPER = (30, 30, 30), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Card:
    """One image with its map.

    Attributes:
        pixels: (32, 32, 3) uint8.
        cam: (32, 32) float32, 0..1.
        lines: Caption below.
    """

    pixels: Pixels
    cam: Floats
    lines: tuple[str, ...]


def sheet_png(cards: Sequence[Card], heading: Sequence[str], opacity: float) -> bytes:
    """A PNG of all cards: image, map and overlay side by side, text below.

    Args:
        heading: Lines above the cards.
        opacity: Of the map over the image, 0..1.
    """
    panels = [_panel(card, opacity) for card in cards]
    height, width = panels[0].shape[:2]
    height += GAP + LINE * max(len(card.lines) for card in cards)
    width = max(width, *(_text_width(card.lines) - 2 * GAP for card in cards))
    columns = max(1, min(len(cards), round(math.sqrt(len(cards) * height / width * 1.4))))
    num_rows = -(-len(cards) // columns)
    top = GAP + LINE * len(heading)
    size = (GAP + columns * (width + 2 * GAP), top + num_rows * (height + 2 * GAP) + GAP)
    sheet = Image.new("RGB", (max(size[0], _text_width(heading)), size[1]), PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (GAP, GAP), heading)
    for number, (card, panel) in enumerate(zip(cards, panels, strict=True)):
        x = GAP + number % columns * (width + 2 * GAP)
        y = top + GAP + number // columns * (height + 2 * GAP)
        sheet.paste(Image.fromarray(panel), (x, y))
        _write(draw, (x, y + panel.shape[0] + 2), card.lines)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _panel(card: Card, opacity: float) -> Pixels:
    """(H, W, 3) image, map and overlay beside each other."""
    image = card.pixels.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
    gap = np.full((len(image), GAP, 3), PAPER[0], np.uint8)
    parts = (
        image,
        gap,
        heatmap(card.cam, SCALE),
        gap,
        overlay(card.pixels, card.cam, opacity, SCALE),
    )
    return np.concatenate(parts, axis=1)


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        draw.text((place[0], place[1] + number * LINE), line, TEXT, font=_font())


def _text_width(lines: Sequence[str]) -> int:
    return 2 * GAP + max((math.ceil(_font().getlength(line)) for line in lines), default=0)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(13)
