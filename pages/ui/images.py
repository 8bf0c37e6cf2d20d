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
    rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]], Sequence[str]]], size: int = 72
) -> None:
    """Draws rows of images, each with a heading; tiles shrink, then a row scrolls by itself.

    Args:
        rows: (heading, images, tip of each image); the first image stands apart as the original.
    """
    fluid = f"flex:1 1 0;min-width:36px;max-width:{size}px"
    parts = []
    for heading, images, tips in rows:
        pictures = [picture(image, tip) for image, tip in zip(images, tips, strict=True)]
        first, *others = (f'<div style="{fluid}">{picture}</div>' for picture in pictures)
        parts.append(
            f'<div style="display:flex;align-items:center;gap:8px;margin-bottom:6px">'
            f'<div style="flex:0 0 4.7rem;font-size:.85rem">{html.escape(heading)}</div>{first}'
            f'<div style="flex:{len(others)} 1 0;display:flex;gap:5px;overflow-x:auto;'
            f'padding-left:8px;border-left:1px solid rgba(128,128,128,.4)">{"".join(others)}</div>'
            "</div>"
        )
    st.html("".join(parts))


def _tile(image: NDArray[np.uint8], caption: str, tip: str, size: int) -> str:
    return (
        f'<figure style="margin:0;width:{size}px">{picture(image, tip)}'
        f'<figcaption style="font-size:.75rem;opacity:.8;overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap">{html.escape(caption)}</figcaption></figure>'
    )


def picture(image: NDArray[np.uint8], tip: str) -> str:
    """An `img` as wide as what holds it, without smoothing."""
    text = html.escape(tip)
    return (
        f'<img src="{data_uri(image)}" alt="{text}" title="{text}" style="width:100%;'
        'aspect-ratio:1;image-rendering:pixelated;border-radius:4px;display:block">'
    )


def data_uri(image: NDArray[np.uint8]) -> str:
    """A PNG of an (H, W, 3) uint8 image inside a link."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
