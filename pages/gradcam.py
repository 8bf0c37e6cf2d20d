"""Grad-CAM: which regions of an image support a class, at one layer of the model."""

import streamlit as st

from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.maps import MAX_IMAGES
from cifar_core.explain.targets import BOTH, BOTH_NAME, TARGETS
from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject, select_split, select_subject
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.gradcam.comparison import OFF, select_comparison, side_by_side
from pages.ui.gradcam.controls import select_request
from pages.ui.gradcam.errors import step_through_errors
from pages.ui.gradcam.maps import download, draw_maps
from pages.ui.gradcam.ranking import layer_ranking
from pages.ui.gradcam.upload import own_image
from pages.ui.session import chosen, url
from pages.ui.session.boot import boot

boot(__file__)

UPLOAD = "upload"


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


def show_maps(subject: Subject, predictions: Predictions, rows: list[int]) -> None:
    """Controls and maps on top; below them, which maps, and the way on."""
    with under:
        beside = select_comparison()
    with top, parts.show_errors():
        several = {BOTH: BOTH_NAME} if beside == OFF else {}
        names = {name: name for name in predictions.examples.classes}
        request, drawing = select_request(
            subject.checkpoint, {**several, **TARGETS, **names}, len(rows) if beside == OFF else 1
        )
        if beside == OFF:
            sheet = draw_maps(subject, predictions, rows, request, drawing)
        else:
            if len(rows) > 1:
                st.caption(f"First of {len(rows)} images. Enter another index to see that one.")
            sheet = side_by_side(beside, subject, predictions, rows[0], request, drawing)
        with st.container(horizontal=True, vertical_alignment="center"):
            step_through_errors(predictions, rows)
            if sheet:
                download(sheet)


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
top, under = st.container(), st.container()
subject = select_subject("split", "images")
parts.name_tab(subject.run.name, "Grad-CAM")
source = select_split(subject, {UPLOAD: "your image"})
if source == UPLOAD:
    with top:
        own_image(subject)
else:
    predictions = predictions_of(subject, source)
    with parts.show_errors():
        rows = select_rows(predictions)
    show_maps(subject, predictions, rows)
    links(predictions, rows[0], {**subject.query, "split": source})
    layer_ranking(subject)
