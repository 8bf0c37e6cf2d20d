"""Grad-CAM: which regions of an image support a class, at one layer of the model."""

import streamlit as st

from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.comparisons import KINDS
from cifar_core.explain.maps import MAX_IMAGES, CamRequest, cards_from, heading_of
from cifar_core.explain.targets import TARGETS, target_classes
from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject, select_split, select_subject
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.gradcam.comparison import side_by_side
from pages.ui.gradcam.maps import (
    download,
    draw_cards,
    grid_switch,
    maps_with_progress,
    select_request,
)
from pages.ui.gradcam.ranking import layer_ranking
from pages.ui.gradcam.upload import own_image
from pages.ui.session import chosen, url
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)

UPLOAD = "upload"
OFF = "off"


def select_rows(predictions: Predictions) -> list[int]:
    """The images in the URL; without any, the most confident error."""
    text = st.query_params.get("images", "")
    if not text:
        (row,) = most_confident_errors(predictions, 1) or [0]
        text = st.query_params["images"] = str(predictions.examples.indices[row])
    key = f"url-images-{text}"
    st.text_input(
        f"Image indices (at most {MAX_IMAGES})",
        text,
        key=key,
        on_change=url.take,
        args=("images", key),
        help="Comma-separated. Images opened from the gallery appear here.",
    )
    indices = url.numbers("images", text)
    rows = [predictions.examples.find(index) for index in indices]
    chosen.remember_images(indices)
    return rows


def show_maps(subject: Subject, split: str) -> None:
    """One map of each image, or several maps of one image."""
    predictions = predictions_of(subject, split)
    with parts.show_errors():
        rows = select_rows(predictions)
        targets = [*TARGETS, *predictions.examples.classes]
        single = st.query_params.get("beside", OFF) != OFF
        request = select_request(subject.checkpoint, targets, 1 if single else len(rows))
        beside = url.select(
            "Side by side",
            "beside",
            [OFF, *KINDS],
            OFF,
            shown=lambda kind: KINDS.get(kind, "Off"),
            beside=True,
        )
        if beside == OFF:
            show_cards(subject, predictions, rows, request)
        else:
            if len(rows) > 1:
                st.caption(f"First of {len(rows)} images. Enter another index to see that one.")
            side_by_side(beside, subject, predictions, rows[0], request)
    links(predictions, rows[0], {**subject.query, "split": split})
    layer_ranking(subject)


def show_cards(
    subject: Subject, predictions: Predictions, rows: list[int], request: CamRequest
) -> None:
    """Image, map and overlay of each image, side by side."""
    with st.container(horizontal=True):
        grid = grid_switch()
        normalized = len(rows) == 1 or url.switch(
            "Normalize each map",
            "stretch",
            "Scales each map to its own maximum. Weak maps then look as strong as any other, so "
            "only the location of the maximum can be compared between images.",
        )
    targets = target_classes(predictions, rows, request.target)
    pixels = predictions.examples.pixels(rows)
    cams = maps_with_progress(predictions.checkpoint, pixels, request, targets)
    cards = cards_from(predictions, rows, targets, cams, one_scale=not normalized)
    draw_cards(cards, request.opacity, cams.grid if grid else None)
    about = f"{subject.run.name}: {predictions}"
    st.caption(plain(about))
    download(cards, (about, heading_of(str(request.layer), cams, request)), request.opacity)


def links(predictions: Predictions, row: int, query: dict[str, str]) -> None:
    """Links to the gallery and to the page of this image."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/gallery.py",
            label="Gallery",
            icon=":material/photo_library:",
            query_params={**st.query_params.to_dict(), **query},
        )
        st.page_link(
            "pages/image.py",
            label="Training history of this image",
            icon=":material/timeline:",
            query_params={**query, "image": str(predictions.examples.indices[row])},
        )


parts.heading("Grad-CAM", "Which image regions support a class")
subject = select_subject("split", "images")
source = select_split(subject, UPLOAD)
if source == UPLOAD:
    own_image(subject)
else:
    show_maps(subject, source)
