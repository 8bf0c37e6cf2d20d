"""One image: its predictions over the epochs, its nearest neighbors, and its Grad-CAM."""

import streamlit as st

from cifar_core import plots
from cifar_core.errors import ConfigError
from cifar_core.evaluation.features import neighbors
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.comparisons import ABOUT, epoch_checkpoints, panels, views
from cifar_core.explain.layers import default_layer
from cifar_core.explain.maps import CamRequest, prediction_label
from cifar_core.explain.targets import target_classes, target_label
from pages.ui.components import parts
from pages.ui.components.curves import named_plot
from pages.ui.components.images import picture
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import select_split, select_subject
from pages.ui.evaluation.error_tiles import labelled_tile
from pages.ui.evaluation.predictions import features_or_offer, predictions_of
from pages.ui.gradcam.comparison import draw_panels
from pages.ui.session import cache_analysis, chosen, messages, url
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)

NUM_NEIGHBORS = 12
NO_HISTORY = "{run} has no saved predictions per epoch. New runs save them; train one to see them."
ONLY_TEST = "The training history is saved for test images only. Switch to the test images."


def select_row(predictions: Predictions) -> int:
    """The image in the URL; without one, the most confident error."""
    text = st.query_params.get("image", "").strip()
    if not text:
        (row,) = most_confident_errors(predictions, 1) or [0]
        text = st.query_params["image"] = str(predictions.examples.indices[row])
    key = f"url-image-{text}"
    st.text_input("Image index", text, key=key, on_change=url.take, args=("image", key))
    index = url.number(text)
    if index is None:
        raise ConfigError(f"image = {text[:80]!r} is not accepted; give an index such as 407.")
    row = predictions.examples.find(index)
    chosen.remember_images([index])
    return row


def show_history(predictions: Predictions, row: int) -> None:
    """When it was learned, how often forgotten, and its class probabilities over the epochs."""
    st.subheader("Training history")
    with parts.show_errors():
        history = cache_analysis.history(subject.run) if split == "test" else None
    if history is None:
        why = ONLY_TEST if split != "test" else NO_HISTORY.format(run=subject.run.name)
        messages.info(why, icon=":material/history:")
        return
    st.markdown(f"**{history.learning_summary(row)}**")
    if subject.flip:
        st.caption("Predictions per epoch are made without TTA.")
    epochs, probs = cache_analysis.image_history(subject.run, history, row)
    figure = plots.probability_curves(
        epochs, probs, predictions.examples.classes, int(predictions.examples.labels[row])
    )
    st.plotly_chart(
        figure, key="history", config=named_plot("history"), alt="Class probabilities over epochs"
    )


def show_neighbors(predictions: Predictions, row: int) -> None:
    """The images with the most similar features."""
    st.subheader("Nearest neighbors")
    features = features_or_offer(subject, predictions)
    if features is None:
        return
    examples, neighbor_tiles = predictions.examples, list[Tile]()
    for other, similarity in neighbors(features, row, NUM_NEIGHBORS):
        predicted = examples.classes[predictions.predicted[other]]
        line = f"{predicted} · {similarity:.2f}"
        about = f"predicted {predicted}, cosine similarity {similarity:.3f}"
        neighbor_tiles.append(labelled_tile(examples, other, line, about, query, "image", "image"))
    st.caption("Cosine similarity of penultimate features, within the same split")
    opened, _ = tiles(neighbor_tiles, [], f"neighbors-{row}", selectable=False)
    if opened is not None:
        url.go("pages/image.py", **query, image=str(opened))


def show_gradcam(predictions: Predictions, row: int) -> None:
    """Its Grad-CAM at the checkpoints of the run."""
    st.subheader("Grad-CAM over epochs")
    with parts.show_errors():
        layers = cache_analysis.layers(subject.checkpoint)
        request = CamRequest(default_layer(layers).name)
        (target,) = target_classes(predictions, [row], request.target)
        epoch_views = views("epochs", subject.run, predictions, row, request, layers)
        pixels = predictions.examples.pixels([row])[0]
        cams = [cache_analysis.view_map(view, pixels) for view in epoch_views]
    name = target_label(predictions.examples.classes, target)
    st.caption(plain(f"GradCAM at {request.layer}, target class: {name}. {ABOUT['epochs']}"))
    draw_panels(pixels, "Image", panels(epoch_views, cams), request.opacity, grid=False)
    index = str(predictions.examples.indices[row])
    st.page_link(
        "pages/gradcam.py",
        label="Other layers, methods and classes",
        icon=":material/center_focus_strong:",
        query_params={**query, "images": index, "beside": "epochs"},
    )


parts.heading("One image", "Training history, nearest neighbors and Grad-CAM of an image")
subject = select_subject("split", "image")
parts.name_tab(subject.run.name, "One image")
split = select_split(subject)
query = {**subject.query, "split": split}
predictions = predictions_of(subject, split)
with parts.show_errors():
    row = select_row(predictions)
left, right = st.columns([1, 3], gap="large")
with left:
    name = predictions.examples.name(row)
    st.html(picture(predictions.examples.pixels([row])[0], name))
    st.markdown(f"**{plain(name)}**: {plain(prediction_label(predictions, row))}")
    st.caption(plain(f"{predictions}, run {subject.run.name}"))
with right:
    show_history(predictions, row)
show_neighbors(predictions, row)
if epoch_checkpoints(subject.run):
    show_gradcam(predictions, row)
