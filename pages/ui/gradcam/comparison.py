"""Several maps of one image, side by side."""

import html
from collections.abc import Sequence

import streamlit as st
from numpy.typing import NDArray

from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.comparisons import ABOUT, KINDS, Panel, View, panels, shared_heading, views
from cifar_core.explain.layers import default_layer
from cifar_core.explain.maps import CamRequest, prediction_label
from cifar_core.explain.overlay import heatmap, overlay
from cifar_core.explain.sheet import Card
from pages.ui.components.images import picture
from pages.ui.evaluation.checkpoint_picker import Subject, select_other
from pages.ui.gradcam.controls import Drawing
from pages.ui.gradcam.maps import Sheet, check_cost, framed
from pages.ui.session import cache_analysis, url
from pages.ui.session.messages import plain

OFF = "off"


def select_comparison() -> str:
    """Which maps stand side by side, one of `comparisons.KINDS`, or `OFF`."""
    return url.select(
        "Side by side",
        "beside",
        [OFF, *KINDS],
        OFF,
        shown=lambda kind: KINDS.get(kind, "Off"),
        beside=True,
    )


def side_by_side(
    kind: str,
    subject: Subject,
    predictions: Predictions,
    row: int,
    request: CamRequest,
    drawing: Drawing,
) -> Sheet | None:
    """The maps of one image for one of `comparisons.KINDS`; as a sheet, too, if there are any.

    Raises:
        CifarCoreError: if a model has no such layer or class, or a checkpoint is damaged.
    """
    other = _other_view(subject, request) if kind == "other" else None
    if kind == "other" and other is None:
        return None
    layers = cache_analysis.layers(subject.checkpoint)
    image_views = views(kind, subject.run, predictions, row, request, layers, other)
    check_cost([(view.checkpoint, view.layer, view.method) for view in image_views])
    st.caption(ABOUT[kind])
    pixels = predictions.examples.pixels([row])[0]
    bar, cams = st.progress(0.0), []
    for number, view in enumerate(image_views):
        cams.append(cache_analysis.view_map(view, pixels))
        bar.progress((number + 1) / len(image_views), text=view.label)
    bar.empty()
    image_panels = panels(image_views, cams)
    title = f"{predictions.examples.name(row)}: {prediction_label(predictions, row)}"
    draw_panels(pixels, title, image_panels, request.opacity, drawing.grid)
    about = f"{subject.run.name}: {predictions}"
    st.caption(plain(about))
    heading = (about, title, shared_heading(kind, request))
    cards = [Card(pixels, panel.cam, (panel.label, panel.note)) for panel in image_panels]
    return Sheet(cards, heading, request.opacity, f"maps-{kind}")


def _other_view(subject: Subject, request: CamRequest) -> View | None:
    """The best checkpoint of another run on the same data, at the same layer if it has one."""
    other = select_other(subject)
    if other is None:
        return None
    layers = cache_analysis.layers(other.checkpoint)
    names = [layer.name for layer in layers]
    layer = str(request.layer if request.layer in names else default_layer(layers).name)
    return View(f"{other.run.name} at {layer}", other.checkpoint, layer, request.method, 0)


def draw_panels(
    pixels: NDArray, title: str, image_panels: Sequence[Panel], opacity: float, grid: bool
) -> None:
    """The image, then each map above its overlay, with label, grid size and peak below."""
    first = f"<div>{picture(pixels, title)}{_text(title)}</div>"
    cells = "".join(_panel(pixels, panel, opacity, grid) for panel in image_panels)
    style = "display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:16px"
    st.html(f'<div style="{style}">{first}{cells}</div>')


def _panel(pixels: NDArray, panel: Panel, opacity: float, grid: bool) -> str:
    cells = panel.grid if grid else None
    over = picture(overlay(pixels, panel.cam, opacity, scale=1), f"Overlay: {panel.label}")
    drawn = framed(picture(heatmap(panel.cam), f"Map: {panel.label}"), cells) + framed(over, cells)
    rows, columns = panel.grid
    below = _text(panel.label) + _text(f"{rows}x{columns} · {panel.note}", faint=True)
    return f'<div style="min-width:0"><div style="display:grid;gap:5px">{drawn}</div>{below}</div>'


def _text(text: str, faint: bool = False) -> str:
    opacity = ".7" if faint else ".95"
    style = f"font-size:.8rem;line-height:1.35;margin-top:4px;opacity:{opacity}"
    return f'<div style="{style}">{html.escape(text)}</div>'
