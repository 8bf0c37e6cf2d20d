"""An uploaded image: the crop, its predicted classes, and its Grad-CAM."""

import io

import streamlit as st
from PIL import Image, ImageDraw

from cifar_core import plots
from cifar_core.data.upload import ENDINGS, MAX_MB, UploadedImage, fit_image
from cifar_core.explain.maps import heading_of, own_card, probabilities
from cifar_core.explain.targets import topk_classes
from pages.ui.components import parts
from pages.ui.components.curves import named_plot
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.gradcam.maps import download, draw_cards, select_request
from pages.ui.session import cache_analysis, messages


def own_image(subject: Subject) -> None:
    """Lets people upload an image; shows the prediction and the map."""
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
    classes = checkpoint.manifest.classes
    pixels = fitted.pixels[None]
    (probs,) = probabilities(cache_analysis.model(checkpoint), checkpoint, pixels)
    left, right = st.columns([1, 2])
    with left:
        st.image(_with_crop(fitted), caption="Center crop (model input)")
        if fitted.note:
            st.caption(messages.plain(fitted.note))
    with right:
        top_5 = topk_classes(probs)
        figure = plots.top_classes([classes[k] for k in top_5], probs[top_5])
        st.plotly_chart(figure, config=named_plot("top-5"), key="top", alt="Top-5 classes")
    request = select_request(checkpoint, ["predicted", *classes])
    target = top_5[0] if request.target == "predicted" else classes.index(request.target)
    cams = cache_analysis.maps(checkpoint, pixels, str(request.layer), (target,), request.method)
    card = own_card(fitted.pixels, classes, probs, target, cams)
    draw_cards([card], request.opacity)
    heading = heading_of(str(request.layer), cams, request)
    download([card], (f"{subject.run.name}: {checkpoint.name}", heading), request.opacity)


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
