"""Somebody's own picture: the crop, what the model takes it for, and the map."""

import io

import streamlit as st
from PIL import Image, ImageDraw

from cifar_core import plots
from cifar_core.data.upload import MAX_MB, OwnImage, fit_image
from cifar_core.explain.maps import heading_of, own_card, probabilities
from cifar_core.explain.targets import topk_classes
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.gradcam.maps import download, draw_cards, pick_request
from pages.ui.session import cache_analysis


def own_image(subject: Subject) -> None:
    """Asks for a picture and explains what the model makes of it."""
    upload = st.file_uploader("A PNG or JPEG", ["png", "jpg", "jpeg"], max_upload_size=MAX_MB)
    if upload is None:
        st.info(
            "Choose a picture. Its middle square is shrunk to 32 by 32 pixels, as the model "
            "takes it; nothing is kept.",
            icon=":material/upload:",
        )
        return
    with parts.sentences():
        fitted = fit_image(upload.getvalue())
        _explain(subject, fitted)


def _explain(subject: Subject, fitted: OwnImage) -> None:
    checkpoint = subject.checkpoint
    classes: list[str] = checkpoint.manifest["classes"]
    pixels = fitted.pixels[None]
    (probs,) = probabilities(cache_analysis.model(checkpoint), checkpoint, pixels)
    left, right = st.columns([1, 2])
    with left:
        st.image(_with_crop(fitted), caption="The square that the model gets")
    with right:
        first = topk_classes(probs)
        figure = plots.top_classes([classes[k] for k in first], probs[first])
        st.plotly_chart(figure, config=PLOT, key="top", alt="The five most probable classes")
    request = pick_request(checkpoint, ["predicted", *classes])
    asked = first[0] if request.target == "predicted" else classes.index(request.target)
    cams = cache_analysis.maps(checkpoint, pixels, str(request.layer), (asked,), request.method)
    card = own_card(fitted.pixels, classes, probs, asked, cams)
    draw_cards([card], request.opacity)
    heading = heading_of(str(request.layer), cams, request)
    download([card], (f"{subject.run.name}: {checkpoint.name}", heading), request.opacity)


def _with_crop(fitted: OwnImage) -> bytes:
    """A PNG of the whole picture with what is cut away dimmed."""
    picture = Image.fromarray(fitted.original)
    box = [round(edge * fitted.scale) for edge in fitted.box]
    shade = Image.new("L", picture.size, 140)
    ImageDraw.Draw(shade).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=0)
    dark = Image.new("RGB", picture.size, (128, 128, 128))
    picture.paste(dark, mask=shade)
    ImageDraw.Draw(picture).rectangle(
        (box[0], box[1], box[2] - 1, box[3] - 1), outline=(255, 128, 0), width=2
    )
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
