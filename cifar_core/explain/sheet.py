"""Images, maps and overlays as one PNG with captions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cifar_core.data.arrays import Floats, Pixels
from cifar_core.data.sheet import GAP, PAPER, SCALE, Captioned, captioned_sheet, enlarged
from cifar_core.explain.overlay import heatmap, overlay


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
    pictures = [Captioned(_panel(card, opacity), card.lines) for card in cards]
    return captioned_sheet(pictures, heading)


def _panel(card: Card, opacity: float) -> Pixels:
    """(H, W, 3) image, map and overlay beside each other."""
    image = enlarged(card.pixels)
    gap = np.full((len(image), GAP, 3), PAPER[0], np.uint8)
    parts = (
        image,
        gap,
        heatmap(card.cam, SCALE),
        gap,
        overlay(card.pixels, card.cam, opacity, SCALE),
    )
    return np.concatenate(parts, axis=1)
