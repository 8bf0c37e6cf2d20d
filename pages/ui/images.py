"""32x32 images on the screen: enlarged by the browser without smoothing, as many as fit a row."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image


def tile_grid(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str],
    tips: Sequence[str] = (),
    size: int = 88,
) -> None:
    """Draws (H, W, 3) uint8 images in a grid that flows with the width of the page.

    Args:
        captions: Below each image; also its text for those who cannot see it.
        tips: Shown when the pointer rests on an image.
        size: Side in CSS pixels.
    """
    tips = tips or captions
    tiles = [
        _tile(image, caption, tip, size)
        for image, caption, tip in zip(images, captions, tips, strict=True)
    ]
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(tiles)}</div>')


def tile_rows(
    rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]], Sequence[str]]], size: int = 54
) -> None:
    """Draws rows of images, each with a heading; a row scrolls by itself where it is too wide.

    Args:
        rows: (heading, images, tip of each image); the first image stands apart as the original.
    """
    parts = []
    for heading, images, tips in rows:
        first, *others = (
            _tile(image, "", tip, size) for image, tip in zip(images, tips, strict=True)
        )
        parts.append(
            f'<div style="display:flex;align-items:center;gap:10px;margin-bottom:6px">'
            f'<div style="flex:0 0 4.7rem;font-size:.85rem;overflow:hidden;'
            f'text-overflow:ellipsis">{html.escape(heading)}</div>'
            f'<div style="flex:0 0 auto">{first}</div>'
            f'<div style="display:flex;gap:6px;overflow-x:auto;padding-left:10px;'
            f'border-left:1px solid rgba(128,128,128,.4)">{"".join(others)}</div></div>'
        )
    st.html("".join(parts))


def _tile(image: NDArray[np.uint8], caption: str, tip: str, size: int) -> str:
    text = html.escape(caption)
    below = (
        f'<figcaption style="font-size:.75rem;opacity:.8;max-width:{size}px;overflow:hidden;'
        f'text-overflow:ellipsis;white-space:nowrap">{text}</figcaption>'
        if caption
        else ""
    )
    return (
        f'<figure style="margin:0"><img src="{data_uri(image)}" width="{size}" height="{size}" '
        f'alt="{html.escape(tip)}" title="{html.escape(tip)}" '
        f'style="image-rendering:pixelated;border-radius:4px;display:block">{below}</figure>'
    )


def data_uri(image: NDArray[np.uint8]) -> str:
    """A PNG of an (H, W, 3) uint8 image inside a link."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
