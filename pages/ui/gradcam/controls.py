"""Layer, method and target class in one row; how maps are drawn behind a button."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.explain.cost import cost_s
from cifar_core.explain.layers import TargetLayer, default_layer
from cifar_core.explain.maps import CamRequest
from cifar_core.explain.methods import METHODS
from pages.ui.components.parts import duration
from pages.ui.session import cache_analysis, url

OPACITY = 70  # percent, where a map is strongest


@dataclass(frozen=True)
class Drawing:
    """How maps are drawn.

    Attributes:
        grid: Whether the cells of the layer are drawn over them.
        normalized: Whether each image has a scale of its own.
    """

    grid: bool
    normalized: bool


def select_request(
    checkpoint: Checkpoint, targets: Mapping[str, str], num_images: int = 1
) -> tuple[CamRequest, Drawing]:
    """Lets people choose layer, method, target class and drawing, all in the URL.

    Args:
        targets: Targets and their labels; the first is the default.

    Raises:
        ConfigError: if the model has no layer with a spatial output.
    """
    layers = {layer.name: layer for layer in cache_analysis.layers(checkpoint)}
    columns = st.columns([4, 4, 4, 3], vertical_alignment="bottom")
    with columns[3].popover("Display", icon=":material/tune:", width="stretch"):
        show_all = _inner_layers_toggle(layers, str(checkpoint.path))
        opacity = st.slider(
            "Overlay opacity", 0, 100, OPACITY, 5, format="%d%%", key="opacity", bind="query-params"
        )
        grid = url.switch("Layer grid", "grid", "The resolution of the layer's feature map")
        normalized = num_images == 1 or url.switch(
            "Normalize each image",
            "stretch",
            "Scales the maps of each image to their own maximum. Weak maps then look as strong as "
            "any other, so only the location of the maximum can be compared between images.",
        )
    with columns[0]:
        layer = _select_layer(layers, show_all)
    with columns[1]:
        method = url.select(
            "Method",
            "method",
            list(METHODS),
            "GradCAM",
            shown=lambda name: _method_label(name, checkpoint, layer, num_images),
            help="\n\n".join(f"**{name}**: {_about(name)}" for name in METHODS),
        )
    with columns[2]:
        target = url.select(
            "Target class", "target", list(targets), next(iter(targets)), shown=targets.__getitem__
        )
    return CamRequest(layer.name, method, target, opacity / 100), Drawing(grid, normalized)


def _about(name: str) -> str:
    info = METHODS[name]
    return f"{info.about} [Source]({info.source[info.source.index('https') :]})"


def _method_label(name: str, checkpoint: Checkpoint, layer: TargetLayer, num_images: int) -> str:
    method = METHODS[name]
    if method.slow:
        cost = cost_s(name, layer, num_images, cache_analysis.pass_s(checkpoint))
        return f"{name} (~{duration(max(cost, 1))})"
    return name if method.uses_class else f"{name} (any class)"


def _inner_layers_toggle(layers: Mapping[str, TargetLayer], place: str) -> bool:
    """Whether the layers inside blocks are offered too; a link to one of them switches it on."""
    linked = layers.get(st.query_params.get("layer", ""))
    show_all = st.toggle(
        "Inner layers",
        value=linked is not None and not linked.offered,
        key=f"all-layers-{place}",
        help="Offers the layers inside blocks, and layers without weights, too",
    )
    if not show_all and linked is not None and not linked.offered:
        st.query_params.pop("layer")
    return show_all


def _select_layer(layers: Mapping[str, TargetLayer], show_all: bool) -> TargetLayer:
    name = url.select(
        "Layer",
        "layer",
        [name for name, layer in layers.items() if show_all or layer.offered],
        default_layer(list(layers.values())).name,
        shown=lambda name: layers[name].label,
        help="Early layers show fine detail, late layers whole objects on a coarse grid. "
        "Activated: a convolution after its norm and activation. A name that ends in .input is "
        "what enters that layer. More are offered under Display.",
    )
    return layers[name]
