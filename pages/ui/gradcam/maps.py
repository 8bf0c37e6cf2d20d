"""Layer, method and target class; progress of slow methods; cards; the download."""

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.errors import ConfigError
from cifar_core.explain.cost import cost_s
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.explain.layers import TargetLayer, default_layer, find_layer
from cifar_core.explain.maps import CamRequest
from cifar_core.explain.methods import METHODS, RANDOM_METHOD
from cifar_core.explain.overlay import heatmap, overlay
from cifar_core.explain.sheet import Card, sheet_png
from cifar_core.explain.targets import TARGETS
from pages.ui.components.images import picture
from pages.ui.components.parts import count, duration
from pages.ui.session import cache_analysis, url

_COLUMNS = "repeat(auto-fill,minmax(min(100%,330px),1fr))"
MAX_S = 60.0  # longer than people wait for on a page


def select_request(
    checkpoint: Checkpoint, targets: Sequence[str], num_images: int = 1
) -> CamRequest:
    """Lets people choose layer, method, target class and opacity, all in the URL.

    Raises:
        ConfigError: if the model has no layer with a spatial output.
    """
    columns = st.columns([5, 5, 5, 4], vertical_alignment="bottom")
    with columns[0]:
        layer = _select_layer(checkpoint)
    with columns[1]:
        method = url.select(
            "Method",
            "method",
            list(METHODS),
            "GradCAM",
            shown=lambda name: _method_label(name, checkpoint, layer, num_images),
        )
    with columns[2]:
        target = url.select(
            "Target class", "target", targets, "predicted", shown=lambda t: TARGETS.get(t, t)
        )
    opacity = columns[3].slider(
        "Overlay opacity", 0, 100, 50, 5, format="%d%%", key="opacity", bind="query-params"
    )
    info = METHODS[method]
    link = info.source[info.source.index("https") :]
    st.caption(f"{info.about} [Source]({link})")
    return CamRequest(layer.name, method, target, opacity / 100)


def _method_label(name: str, checkpoint: Checkpoint, layer: TargetLayer, num_images: int) -> str:
    method = METHODS[name]
    if method.slow:
        cost = cost_s(name, layer, num_images, cache_analysis.pass_s(checkpoint))
        return f"{name} (~{duration(max(cost, 1))})"
    return name if method.uses_class else f"{name} (any class)"


def _select_layer(checkpoint: Checkpoint) -> TargetLayer:
    layers = {layer.name: layer for layer in cache_analysis.layers(checkpoint)}
    linked = layers.get(st.query_params.get("layer", ""))
    show_all = st.toggle(
        "All layers",
        value=linked is not None and not linked.offered,
        key=f"all-layers-{checkpoint.path}",
        help="Includes layers inside blocks and layers without weights",
    )
    if not show_all and linked is not None and not linked.offered:
        st.query_params.pop("layer")
    name = url.select(
        "Layer",
        "layer",
        [name for name, layer in layers.items() if show_all or layer.offered],
        default_layer(list(layers.values())).name,
        shown=lambda name: layers[name].label,
        help="Early layers show fine detail, late layers whole objects on a coarse grid. "
        "Activated: a convolution after its norm and activation. A name that ends in .input is "
        "what enters that layer.",
    )
    return layers[name]


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


def grid_switch() -> bool:
    """The switch that shows the cells of the layer over map and overlay."""
    return url.switch("Layer grid", "grid", "Shows the resolution of the layer's feature map")


def draw_cards(cards: Sequence[Card], opacity: float, grid: tuple[int, int] | None = None) -> None:
    """Image, map and overlay of each card, as many cards side by side as fit.

    Args:
        grid: Rows and columns of the layer, drawn over map and overlay.
    """
    st.caption("Image, map and overlay. Yellow: supports the class most. Black: no support.")
    columns = "minmax(0,830px)" if len(cards) == 1 else _COLUMNS
    drawn = "".join(_card(card, opacity, grid) for card in cards)
    st.html(
        f'<div style="display:grid;grid-template-columns:{columns};gap:18px 26px">{drawn}</div>'
    )


def _card(card: Card, opacity: float, grid: tuple[int, int] | None) -> str:
    title = card.lines[0]
    images = (
        picture(card.pixels, title),
        picture(heatmap(card.cam), f"Map: {title}"),
        picture(overlay(card.pixels, card.cam, opacity, scale=1), f"Overlay: {title}"),
    )
    pictures = "".join(
        f'<div style="flex:1 1 0;min-width:0">{framed(part, grid)}</div>' for part in images
    )
    lines = "".join(f"<div>{html.escape(line)}</div>" for line in card.lines)
    return (
        '<figure style="margin:0;min-width:0">'
        f'<div style="display:flex;gap:6px">{pictures}</div>'
        f'<figcaption style="font-size:.8rem;opacity:.85;margin-top:4px">{lines}</figcaption>'
        "</figure>"
    )


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


def download(
    cards: Sequence[Card], heading: Sequence[str], opacity: float, name: str = "maps"
) -> None:
    """The button for a PNG of all cards under a heading."""
    st.download_button(
        "Download PNG",
        lambda: sheet_png(cards, heading, opacity),
        f"{name}.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )
