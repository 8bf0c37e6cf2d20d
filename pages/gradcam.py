"""Grad-CAM: which places in an image speak for a class, in the eyes of one layer."""

import streamlit as st

from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.comparisons import KINDS
from cifar_core.explain.maps import MAX_IMAGES, CamRequest, cards_from, heading_of
from cifar_core.explain.targets import TARGETS, target_classes
from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject, pick_split, pick_subject
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.gradcam.comparison import side_by_side
from pages.ui.gradcam.maps import download, draw_cards, maps_with_progress, pick_request
from pages.ui.gradcam.ranking import which_layer
from pages.ui.gradcam.upload import own_image
from pages.ui.session import url
from pages.ui.session.boot import boot

boot(__file__)

OWN = "your own"
ONE = "one"


def pick_rows(predictions: Predictions) -> list[int]:
    """The images in the URL; without any, the error that the model was most certain of."""
    text = st.query_params.get("images", "")
    if not text:
        (row,) = most_confident_errors(predictions, 1) or [0]
        text = st.query_params["images"] = str(predictions.examples.indices[row])
    key = f"url-images-{text}"
    st.text_input(
        f"Images, by index, at most {MAX_IMAGES}",
        text,
        key=key,
        on_change=url.take,
        args=("images", key),
        help="Indices in the data set, with commas between. The gallery fills this in.",
    )
    return [predictions.examples.find(index) for index in url.numbers("images", text)]


def show_maps(subject: Subject, split: str) -> None:
    """The maps of the images asked for, or several maps of one image."""
    predictions = predictions_of(subject, split)
    with parts.sentences():
        rows = pick_rows(predictions)
        targets = [*TARGETS, *predictions.examples.classes]
        alone = st.query_params.get("beside", ONE) != ONE
        request = pick_request(subject.checkpoint, targets, 1 if alone else len(rows))
        beside = url.select(
            "Side by side",
            "beside",
            [ONE, *KINDS],
            ONE,
            shown=lambda kind: KINDS.get(kind, "Nothing"),
            beside=True,
        )
        if beside == ONE:
            show_cards(subject, predictions, rows, request)
        else:
            if len(rows) > 1:
                st.caption(f"The first of {len(rows)} images; name another to see that one.")
            side_by_side(beside, subject, predictions, rows[0], request)
    ways_on(predictions, rows[0], {**subject.query, "split": split})
    which_layer(subject)


def show_cards(
    subject: Subject, predictions: Predictions, rows: list[int], request: CamRequest
) -> None:
    """Image, map and overlay of each image, side by side."""
    with st.container(horizontal=True):
        grid = url.switch("Grid of the layer", "grid", "The cells that the layer really has.")
        stretched = len(rows) == 1 or url.switch(
            "Stretch each map",
            "stretch",
            "Draws each map at full strength. Faint ones then look as strong as any: only where "
            "they are brightest can be compared.",
        )
    asked = target_classes(predictions, rows, request.target)
    cams = maps_with_progress(subject.checkpoint, predictions.examples.pixels(rows), request, asked)
    cards = cards_from(predictions, rows, asked, cams, one_scale=not stretched)
    draw_cards(cards, request.opacity, cams.grid if grid else None)
    about = f"{subject.run.name}: {predictions}"
    st.caption(about)
    download(cards, (about, heading_of(str(request.layer), cams, request)), request.opacity)


def ways_on(predictions: Predictions, row: int, query: dict[str, str]) -> None:
    """To more images, and to what else is known of this one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/gallery.py",
            label="More images",
            icon=":material/photo_library:",
            query_params={**st.query_params.to_dict(), **query},
        )
        st.page_link(
            "pages/image.py",
            label="How this image fared",
            icon=":material/timeline:",
            query_params={**query, "image": str(predictions.examples.indices[row])},
        )


parts.heading("Grad-CAM", "What the model looked at: which places speak for a class.")
chosen = pick_subject()
source = pick_split(chosen, OWN)
if source == OWN:
    own_image(chosen)
else:
    show_maps(chosen, source)
