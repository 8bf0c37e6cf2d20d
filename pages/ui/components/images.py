"""32x32 images, enlarged by the browser without smoothing, in grids that wrap."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.data.encode import data_uri


def tile_grid(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str],
    tips: Sequence[str] = (),
    size: int = 88,
) -> None:
    """Draws (H, W, 3) uint8 images in a grid that wraps to the width of the page.

    Args:
        captions: Text below each image; also its alt text.
        tips: Tooltip of each image; by default its caption.
        size: Side in CSS pixels.
    """
    tips = tips or captions
    tiles = [
        _tile(image, caption, tip, size)
        for image, caption, tip in zip(images, captions, tips, strict=True)
    ]
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(tiles)}</div>')


@dataclass(frozen=True)
class Row:
    """A heading and its images; the first one is the original, set apart.

    Attributes:
        tips: Tooltip and alt text of each image.
        captions: Text below each image; none if empty.
    """

    heading: str
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    tips: Sequence[str]
    captions: Sequence[str] = ()


def tile_rows(rows: Sequence[Row], heads: Sequence[str] = (), size: int = 72) -> None:
    """Draws rows of images; tiles shrink, then the grid scrolls sideways.

    Args:
        heads: Heading of each column.
    """
    width = max((len(row.images) for row in rows), default=0)
    min_px = 52 if any(row.captions for row in rows) else 36
    lines = [_line("", [_small(html.escape(head)) for head in heads])] if any(heads[1:]) else []
    for row in rows:
        cells = [picture(image, tip) for image, tip in zip(row.images, row.tips, strict=True)]
        texts = [_small(html.escape(text)) for text in row.captions] or [""] * len(cells)
        lines.append(_line(row.heading, [c + text for c, text in zip(cells, texts, strict=True)]))
    tile = f"minmax({min_px}px,{size}px)"
    columns = f"4.2rem {tile} 1px repeat({width - 1},{tile})"
    style = f"display:grid;grid-template-columns:{columns};gap:6px;align-items:start"
    st.html(f'<div style="overflow-x:auto"><div style="{style}">{"".join(lines)}</div></div>')


def _line(heading: str, cells: Sequence[str]) -> str:
    """A row of the grid, with a line after the original."""
    first, *others = (f"<div>{cell}</div>" for cell in cells)
    head = f'<div style="font-size:.85rem;align-self:center">{html.escape(heading)}</div>'
    line = '<div style="align-self:stretch;background:rgba(128,128,128,.4)"></div>'
    return "".join([head, first, line, *others])


def _small(text: str) -> str:
    """A caption of at most four lines; long names break between their words."""
    text = re.sub("(?<=[a-z])(?=[A-Z])", "\u200b", text)
    return (
        '<div style="font-size:.62rem;line-height:1.25;opacity:.8;overflow:hidden;'
        "overflow-wrap:break-word;display:-webkit-box;-webkit-line-clamp:4;"
        f'-webkit-box-orient:vertical">{text}</div>'
    )


def sheet(images: NDArray[np.uint8], columns: int, tip: str) -> None:
    """Draws many (N, H, W, 3) uint8 images as one contact sheet, as wide as the page."""
    num, height, width, _ = images.shape
    rows = -(-num // columns)
    cells = np.full((rows * columns, height, width, 3), 128, np.uint8)
    cells[:num] = images
    grid = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    st.html(picture(grid.reshape(rows * height, columns * width, 3), tip, square=False))


def _tile(image: NDArray[np.uint8], caption: str, tip: str, size: int) -> str:
    return (
        f'<figure style="margin:0;width:{size}px">{picture(image, tip)}'
        f'<figcaption style="font-size:.75rem;opacity:.8;overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap">{html.escape(caption)}</figcaption></figure>'
    )


def captioned_row(cells: Sequence[tuple[str, str]], max_px: int = 0) -> str:
    """Elements beside each other, equally wide, each with its text below.

    Args:
        max_px: Widest each may be; 0 for any width.
    """
    widest = f"max-width:{max_px}px" if max_px else ""
    figures = "".join(
        f'<figure style="margin:0;flex:1 1 0;min-width:0;{widest}">{element}'
        f'<figcaption style="font-size:.8rem;opacity:.85;margin-top:3px">{html.escape(text)}'
        "</figcaption></figure>"
        for element, text in cells
    )
    return f'<div style="display:flex;gap:8px">{figures}</div>'


def picture(image: NDArray[np.uint8], tip: str, square: bool = True) -> str:
    """An `img` element as wide as its parent, without smoothing."""
    text, ratio = html.escape(tip), "aspect-ratio:1;" if square else ""
    return (
        f'<img src="{data_uri(image)}" alt="{text}" title="{text}" style="width:100%;'
        f'{ratio}image-rendering:pixelated;border-radius:4px;display:block">'
    )
