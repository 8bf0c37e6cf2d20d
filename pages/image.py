"""One image: how it fared over the epochs, what is like it, and where the model looked."""

from urllib.parse import urlencode

import streamlit as st

from cifar_core import plots
from cifar_core.data.encode import data_uri
from cifar_core.errors import ConfigError
from cifar_core.evaluation.features import neighbours
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.comparisons import ABOUT, epoch_checkpoints, panels, views
from cifar_core.explain.layers import default_layer
from cifar_core.explain.maps import CamRequest, prediction_label
from cifar_core.explain.targets import target_classes, target_label
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.components.images import picture
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import pick_split, pick_subject
from pages.ui.evaluation.predictions import features_or_offer, predictions_of
from pages.ui.gradcam.comparison import draw_panels
from pages.ui.session import cache_analysis, url
from pages.ui.session.boot import boot

boot(__file__)

NUM_NEIGHBOURS = 12


def pick_row(predictions: Predictions) -> int:
    """The image in the URL; without one, the error that the model was most certain of."""
    text = st.query_params.get("image", "").strip()
    if not text:
        (row,) = most_confident_errors(predictions, 1) or [0]
        text = st.query_params["image"] = str(predictions.examples.indices[row])
    key = f"url-image-{text}"
    st.text_input("Image, by index", text, key=key, on_change=url.take, args=("image", key))
    index = url.number(text)
    if index is None:
        raise ConfigError(f"image = {text[:80]!r} is not accepted; give an index such as 407.")
    return predictions.examples.find(index)


def show_story(predictions: Predictions, row: int) -> None:
    """Its probabilities over the epochs, when it was learned, how often forgotten."""
    with parts.sentences():
        history = cache_analysis.history(subject.run) if split == "test" else None
    if history is None:
        why = "are kept of test images only" if split != "test" else "were not kept by this run"
        st.info(f"Probabilities over the epochs {why}.", icon=":material/history:")
        return
    st.markdown(f"**{history.learning_summary(row)}**")
    if subject.flip:
        st.caption("What was said after each epoch is without test-time flip.")
    epochs, probs = cache_analysis.image_history(subject.run, history, row)
    figure = plots.probability_curves(
        epochs, probs, predictions.examples.classes, int(predictions.examples.labels[row])
    )
    st.plotly_chart(figure, key="story", config=PLOT, alt="Probability of each class")


def show_neighbours(predictions: Predictions, row: int) -> None:
    """The images that the model sees most alike."""
    st.subheader("What is most like it to the model")
    features = features_or_offer(subject, predictions)
    if features is None:
        return
    examples, drawn = predictions.examples, list[Tile]()
    for other, alike in neighbours(features, row, NUM_NEIGHBOURS):
        index = int(examples.indices[other])
        true, said = (
            examples.classes[k] for k in (examples.labels[other], predictions.predicted[other])
        )
        drawn.append(
            Tile(
                id=index,
                src=data_uri(examples.pixels([other])[0]),
                href="image?" + urlencode({**query, "image": index}),
                lines=(said, f"is {true} · {alike:.2f}"),
                tip=f"{examples.name(other)}: {true}, predicted {said}, cosine {alike:.3f}",
            )
        )
    st.caption("By the angle between penultimate features, among the same images; 1 is the same.")
    opened, _ = tiles(drawn, [], f"alike-{row}", pickable=False)
    if opened is not None:
        url.go("pages/image.py", **query, image=str(opened))


def show_maps(predictions: Predictions, row: int) -> None:
    """Its maps at the weights that were kept along the run."""
    st.subheader("Where it looked, along the run")
    with parts.sentences():
        layers = cache_analysis.layers(subject.checkpoint)
        request = CamRequest(default_layer(layers).name)
        (asked,) = target_classes(predictions, [row], request.target)
        drawn = views("epochs", subject.run, predictions, row, request, layers)
        pixels = predictions.examples.pixels([row])[0]
        cams = [cache_analysis.view_map(view, pixels) for view in drawn]
    name = target_label(predictions.examples.classes, asked)
    st.caption(f"GradCAM at {request.layer}, what speaks for {name}. {ABOUT['epochs']}")
    draw_panels(pixels, "the image", panels(drawn, cams), request.opacity, grid=False)
    st.page_link(
        "pages/gradcam.py",
        label="Other layers, methods and classes",
        icon=":material/center_focus_strong:",
        query_params={
            **query,
            "images": str(predictions.examples.indices[row]),
            "beside": "epochs",
        },
    )


parts.heading("One image", "How it fared over the epochs, what is like it, where the model looked.")
subject = pick_subject()
split = pick_split(subject)
query = {**subject.query, "split": split}
found = predictions_of(subject, split)
with parts.sentences():
    shown = pick_row(found)
left, right = st.columns([1, 3], gap="large")
with left:
    st.html(picture(found.examples.pixels([shown])[0], found.examples.name(shown)))
    st.markdown(f"**{found.examples.name(shown)}**: {prediction_label(found, shown)}")
    st.caption(f"{found}, run {subject.run.name}")
with right:
    show_story(found, shown)
show_neighbours(found, shown)
if epoch_checkpoints(subject.run):
    show_maps(found, shown)
