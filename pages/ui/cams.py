"""Maps on the screen: what to ask, the cards, the download."""

import html
from collections.abc import Sequence

import streamlit as st

from cifar_core.checkpoint import Checkpoint
from cifar_core.explain import Question, heading_of
from cifar_core.gradcam import METHODS, CamMaps, heat, overlay
from cifar_core.layers import default_layer
from cifar_core.sheet import Card, sheet_png
from pages.ui import cache, url
from pages.ui.images import picture

_COLUMNS = "repeat(auto-fill,minmax(min(100%,330px),1fr))"
NAMES = {"predicted": "the predicted class", "true": "the true class"}


def pick_question(checkpoint: Checkpoint, targets: Sequence[str]) -> Question:
    """Layer, method, class and opacity, all in the URL but the last.

    Raises:
        ConfigError: if the model has no layer that can carry a map.
    """
    columns = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    with columns[0]:
        layer = _pick_layer(checkpoint)
    with columns[1]:
        method = url.select("Method", "method", list(METHODS), "GradCAM")
    with columns[2]:
        target = url.select(
            "What speaks for", "target", targets, "predicted", shown=lambda t: NAMES.get(t, t)
        )
    opacity = columns[3].slider(
        "Opacity of the map", 0, 100, 50, 5, format="%d %%", key="opacity", bind="query-params"
    )
    about = METHODS[method]
    st.caption(
        f"{about.about} [Source]({about.source[about.source.index('https') :]})"
        + ("" if about.uses_class else " The class plays no part.")
    )
    return Question(layer, method, target, opacity / 100)


def _pick_layer(checkpoint: Checkpoint) -> str:
    layers = {layer.name: layer for layer in cache.layers(checkpoint)}
    asked = layers.get(st.query_params.get("layer", ""))
    every = st.toggle(
        "All layers",
        value=asked is not None and not asked.offered,
        key=f"all-layers-{checkpoint.path}",
        help="Also those inside blocks, and those without weights.",
    )
    if not every and asked is not None and not asked.offered:
        st.query_params.pop("layer")
    return url.select(
        "Layer",
        "layer",
        [name for name, layer in layers.items() if every or layer.offered],
        default_layer(list(layers.values())).name,
        shown=lambda name: layers[name].label,
        help="Early layers see fine detail, late ones whole objects on a coarse grid.",
    )


def draw_cards(cards: Sequence[Card], opacity: float) -> None:
    """Image, map and overlay of each card, as many cards side by side as the screen holds."""
    st.caption(
        "The image, the map, and both: yellow places speak most for the class, black ones not."
    )
    columns = "minmax(0,830px)" if len(cards) == 1 else _COLUMNS
    drawn = "".join(_card(card, opacity) for card in cards)
    st.html(
        f'<div style="display:grid;grid-template-columns:{columns};gap:18px 26px">{drawn}</div>'
    )


def _card(card: Card, opacity: float) -> str:
    title = card.lines[0]
    shown = (
        (card.pixels, title),
        (heat(card.cam), f"Map: {title}"),
        (overlay(card.pixels, card.cam, opacity, scale=1), f"Overlay: {title}"),
    )
    pictures = "".join(
        f'<div style="flex:1 1 0;min-width:0">{picture(pixels, tip)}</div>' for pixels, tip in shown
    )
    lines = "".join(f"<div>{html.escape(line)}</div>" for line in card.lines)
    return (
        '<figure style="margin:0;min-width:0">'
        f'<div style="display:flex;gap:6px">{pictures}</div>'
        f'<figcaption style="font-size:.8rem;opacity:.85;margin-top:4px">{lines}</figcaption>'
        "</figure>"
    )


def download(cards: Sequence[Card], subject: str, question: Question, cams: CamMaps) -> None:
    """The button for a PNG of all cards."""
    heading = (subject, heading_of(str(question.layer), cams, question))
    st.download_button(
        "Download as PNG",
        lambda: sheet_png(cards, heading, question.opacity),
        "maps.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )
