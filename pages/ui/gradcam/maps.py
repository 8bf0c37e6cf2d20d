"""Computing maps with progress, and drawing them: cards, pairs, the color scale, the download."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.data.arrays import Pixels
from cifar_core.errors import ConfigError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.cost import cost_s
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.explain.layers import find_layer
from cifar_core.explain.maps import CamRequest, cards_from, heading_of
from cifar_core.explain.methods import METHODS, RANDOM_METHOD
from cifar_core.explain.overlay import color_scale, heatmap, overlay
from cifar_core.explain.pairs import Pair, compute_pairs, flat
from cifar_core.explain.sheet import Card, sheet_png
from cifar_core.explain.targets import BOTH, target_classes
from pages.ui.components.images import captioned_row, picture
from pages.ui.components.parts import count, duration
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.gradcam.controls import Drawing
from pages.ui.session import cache_analysis
from pages.ui.session.messages import plain

_COLUMNS = "repeat(auto-fill,minmax(min(100%,330px),1fr))"
MAX_S = 60.0  # longer than people wait for on a page


@dataclass(frozen=True, eq=False)
class Sheet:
    """Maps to be downloaded.

    Attributes:
        heading: Lines above them.
        name: Of the file.
    """

    cards: Sequence[Card]
    heading: Sequence[str]
    opacity: float
    name: str = "maps"


def draw_maps(
    subject: Subject,
    predictions: Predictions,
    rows: Sequence[int],
    request: CamRequest,
    drawing: Drawing,
) -> Sheet:
    """One map of each image, or two where both classes are asked for; as a sheet, too."""

    def compute(pixels: Pixels, targets: Sequence[Target]) -> CamMaps:
        return maps_with_progress(predictions.checkpoint, pixels, request, targets)

    if request.target == BOTH and METHODS[request.method].uses_class:
        pairs = compute_pairs(predictions, rows, compute, one_scale=not drawing.normalized)
        draw_pairs(pairs, request.opacity, drawing.grid)
        cards, grid = flat(pairs), pairs[0].grid
    else:
        target = "predicted" if request.target == BOTH else request.target
        targets = target_classes(predictions, rows, target)
        cams = compute(predictions.examples.pixels(list(rows)), targets)
        cards = cards_from(predictions, rows, targets, cams, one_scale=not drawing.normalized)
        draw_cards(cards, request.opacity, cams.grid if drawing.grid else None)
        grid = cams.grid
    about = f"{subject.run.name}: {predictions}"
    st.caption(plain(f"{about}. {METHODS[request.method].about}"))
    return Sheet(cards, (about, heading_of(str(request.layer), grid, request)), request.opacity)


def maps_with_progress(
    checkpoint: Checkpoint,
    pixels: NDArray[np.uint8],
    request: CamRequest,
    targets: Sequence[Target],
) -> CamMaps:
    """Maps of (N, 32, 32, 3) uint8 images; a slow method one image at a time, with progress.

    Raises:
        ConfigError: as `compute_cams`, or if it would take more than `MAX_S` seconds.
    """
    layer, method = str(request.layer), request.method
    if not METHODS[method].slow:
        return cache_analysis.maps(checkpoint, pixels, layer, tuple(targets), method)
    check_cost([(checkpoint, layer, method)] * len(pixels))
    cams, bar = list[CamMaps](), st.progress(0.0, text=f"{method} …")
    for number, image in enumerate(pixels):
        target = (targets[number],)
        cams.append(cache_analysis.maps(checkpoint, image[None], layer, target, method))
        bar.progress((number + 1) / len(pixels), text=f"{number + 1} of {len(pixels)} images")
    bar.empty()
    return CamMaps.joined(cams)


def check_cost(maps: Sequence[tuple[Checkpoint, str, str]]) -> None:
    """Refuses several maps that would take longer than `MAX_S` seconds; one is always computed.

    Args:
        maps: Checkpoint, layer and method of each.

    Raises:
        ConfigError: saying how long they would take.
    """
    slow = [entry for entry in maps if METHODS.get(entry[2], RANDOM_METHOD).slow]
    cost = sum(_cost(*entry) for entry in slow)
    if len(slow) > 1 and cost > MAX_S:
        raise ConfigError(
            f"{len(slow)} {slow[0][2]} maps would take about {duration(cost)} on this machine. "
            f"Choose at most {count(max(int(MAX_S / cost * len(slow)), 1), 'map')}, or another "
            "method or layer."
        )


def _cost(checkpoint: Checkpoint, layer: str, method: str) -> float:
    target_layer = find_layer(cache_analysis.layers(checkpoint), layer)
    return cost_s(method, target_layer, 1, cache_analysis.pass_s(checkpoint))


def draw_cards(cards: Sequence[Card], opacity: float, grid: tuple[int, int] | None = None) -> None:
    """Image, map and overlay of each card, as many cards side by side as fit.

    Args:
        grid: Rows and columns of the layer, drawn over map and overlay.
    """
    figures = []
    for card in cards:
        title = card.lines[0]
        over = picture(overlay(card.pixels, card.cam, opacity, scale=1), f"Overlay: {title}")
        cells = [
            (picture(card.pixels, title), "image"),
            (framed(picture(heatmap(card.cam), f"Map: {title}"), grid), "map"),
            (framed(over, grid), "overlay"),
        ]
        figures.append((cells, card.lines))
    _draw(figures)


def draw_pairs(pairs: Sequence[Pair], opacity: float, grid: bool) -> None:
    """Each image with the overlays of its two classes."""
    figures = []
    for pair in pairs:
        cells = [(picture(pair.cards[0].pixels, pair.cards[0].lines[0]), f"true: {pair.true}")]
        for card, name in zip(pair.cards, pair.classes, strict=True):
            over = picture(overlay(card.pixels, card.cam, opacity, 1), f"Grad-CAM for {name}")
            cells.append((framed(over, pair.grid if grid else None), f"why {name}"))
        peaks = [card.lines[1].split(" · ", 1)[1] for card in pair.cards]
        figures.append((cells, (pair.cards[0].lines[0], "; ".join(peaks))))
    _draw(figures)


def _draw(figures: Sequence[tuple[Sequence[tuple[str, str]], Sequence[str]]]) -> None:
    """Figures of three captioned pictures each, with lines of text below, and the color scale."""
    columns = "minmax(0,720px)" if len(figures) == 1 else _COLUMNS
    drawn = "".join(
        f'<figure style="margin:0;min-width:0">{captioned_row(cells)}'
        '<figcaption style="font-size:.8rem;opacity:.85;margin-top:4px">'
        + "".join(f"<div>{html.escape(line)}</div>" for line in lines)
        + "</figcaption></figure>"
        for cells, lines in figures
    )
    grid = f"display:grid;grid-template-columns:{columns};gap:18px 26px"
    st.html(f'<div style="{grid}">{drawn}</div>{_color_scale()}')


def _color_scale() -> str:
    """What the colors mean."""
    gradient = f"linear-gradient(to right,{','.join(color_scale())})"
    bar = f'<span style="width:120px;height:10px;border-radius:3px;background:{gradient}"></span>'
    style = "display:flex;gap:8px;align-items:center;font-size:.8rem;margin-top:10px"
    return f'<div style="{style}">no support {bar} supports the class most</div>'


def framed(image: str, grid: tuple[int, int] | None) -> str:
    """An image's HTML with the cells of a layer drawn over it; unchanged without a grid."""
    if grid is None:
        return image
    rows, columns = grid
    line = "rgba(255,255,255,.55) 1px,transparent 1px"
    style = (
        f"position:absolute;inset:0;pointer-events:none;outline:1px solid rgba(255,255,255,.55);"
        f"outline-offset:-1px;background-image:linear-gradient(to right,{line}),"
        f"linear-gradient(to bottom,{line});"
        f"background-size:calc(100%/{columns}) calc(100%/{rows})"
    )
    return f'<div style="position:relative">{image}<div style="{style}"></div></div>'


def download(sheet: Sheet) -> None:
    """The button for a PNG of all cards under their heading."""
    st.download_button(
        "Download PNG",
        lambda: sheet_png(sheet.cards, sheet.heading, sheet.opacity),
        f"{sheet.name}.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )
