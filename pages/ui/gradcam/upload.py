"""An uploaded image: the crop, its predicted classes, and its Grad-CAM."""

import io
from collections.abc import Sequence

import streamlit as st
from PIL import Image, ImageDraw

from cifar_core import plots
from cifar_core.data.arrays import Floats
from cifar_core.data.upload import ENDINGS, MAX_MB, UploadedImage, fit_image
from cifar_core.explain.maps import own_predictions, probabilities
from cifar_core.explain.targets import BOTH, TARGETS, topk_classes
from pages.ui.components import parts
from pages.ui.components.curves import named_plot
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.gradcam.comparison import OFF, select_comparison, side_by_side
from pages.ui.gradcam.controls import select_request
from pages.ui.gradcam.maps import download, draw_maps
from pages.ui.session import cache_analysis, messages


def own_image(subject: Subject) -> None:
    """Lets people upload an image; shows where the model looked, then what it predicts."""
    upload = st.file_uploader("PNG or JPEG", ENDINGS, max_upload_size=MAX_MB)
    if upload is None:
        messages.info(
            "Upload an image. Its center crop is resized to 32x32 pixels, the input size of the "
            "model. Nothing is stored.",
            icon=":material/upload:",
        )
        return
    with parts.show_errors():
        fitted = fit_image(upload.getvalue())
        _explain(subject, fitted)


def _explain(subject: Subject, fitted: UploadedImage) -> None:
    checkpoint = subject.checkpoint
    pixels = fitted.pixels[None]
    (probs,) = probabilities(cache_analysis.model(checkpoint), checkpoint, pixels)
    own = own_predictions(subject.run.run_id, checkpoint, fitted.pixels, probs)
    maps, below = st.container(), st.container()
    with below:
        beside = select_comparison()
        _show_prediction(fitted, checkpoint.manifest.classes, probs)
    with maps:
        both = {BOTH: "The two most probable"} if beside == OFF else {}
        names = {name: name for name in checkpoint.manifest.classes}
        targets = {**both, "predicted": TARGETS["predicted"], **names}
        request, drawing = select_request(checkpoint, targets)
        if beside == OFF:
            sheet = draw_maps(subject, own, [0], request, drawing)
        else:
            sheet = side_by_side(beside, subject, own, 0, request, drawing)
        if sheet:
            download(sheet)


def _show_prediction(fitted: UploadedImage, classes: Sequence[str], probs: Floats) -> None:
    """The picture with its crop, beside the most probable classes."""
    left, right = st.columns([1, 2])
    with left:
        st.image(_with_crop(fitted), caption="Center crop (model input)")
        if fitted.note:
            st.caption(messages.plain(fitted.note))
    with right:
        top_5 = topk_classes(probs)
        figure = plots.top_classes([classes[k] for k in top_5], probs[top_5])
        st.plotly_chart(figure, config=named_plot("top-5"), key="top", alt="Top-5 classes")


def _with_crop(fitted: UploadedImage) -> bytes:
    """A PNG of the whole image with everything outside the crop dimmed."""
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
