"""One image: how it fared over the epochs, what is like it, and where the model looked."""

from urllib.parse import urlencode

import streamlit as st

from cifar_core import plots
from cifar_core.errors import ConfigError
from cifar_core.explain import Question, ask_about, asked_name, verdict
from cifar_core.export import data_uri
from cifar_core.features import neighbours
from cifar_core.layers import default_layer
from cifar_core.ordering import worst
from cifar_core.side_by_side import ABOUT, kept_along, panels, views
from cifar_core.tables import Table
from pages.ui import cache_explain, parts, url
from pages.ui.beside import draw_panels
from pages.ui.boot import boot
from pages.ui.curves import PLOT
from pages.ui.evaluated import features_or_offer, table_of
from pages.ui.images import picture
from pages.ui.subject import pick_split, pick_subject
from pages.ui.tiles import Tile, tiles

boot(__file__)

NUM_NEIGHBOURS = 12


def pick_row(table: Table) -> int:
    """The image in the URL; without one, the error that the model was most certain of."""
    text = st.query_params.get("image", "").strip()
    if not text:
        (row,) = worst(table, 1) or [0]
        text = st.query_params["image"] = str(table.examples.indices[row])
    key = f"url-image-{text}"
    st.text_input("Image, by index", text, key=key, on_change=url.take, args=("image", key))
    index = url.number(text)
    if index is None:
        raise ConfigError(f"image = {text[:80]!r} is not accepted; give an index such as 407.")
    return table.examples.find(index)


def show_story(table: Table, row: int) -> None:
    """Its probabilities over the epochs, when it was learned, how often forgotten."""
    with parts.sentences():
        history = cache_explain.history(subject.run) if split == "test" else None
    if history is None:
        why = "are kept of test images only" if split != "test" else "were not kept by this run"
        st.info(f"Probabilities over the epochs {why}.", icon=":material/history:")
        return
    st.markdown(f"**{history.story(row)}**")
    if subject.flip:
        st.caption("What was said after each epoch is without test-time flip.")
    epochs, probs = cache_explain.story(subject.run, history, row)
    figure = plots.image_story(
        epochs, probs, table.examples.classes, int(table.examples.labels[row])
    )
    st.plotly_chart(figure, key="story", config=PLOT, alt="Probability of each class")


def show_neighbours(table: Table, row: int) -> None:
    """The images that the model sees most alike."""
    st.subheader("What is most like it to the model")
    features = features_or_offer(subject, table)
    if features is None:
        return
    examples, drawn = table.examples, list[Tile]()
    for other, alike in neighbours(features, row, NUM_NEIGHBOURS):
        index = int(examples.indices[other])
        true, said = (
            examples.classes[k] for k in (examples.labels[other], table.predictions[other])
        )
        drawn.append(
            Tile(
                id=index,
                src=data_uri(examples.pixels([other])[0]),
                href="image?" + urlencode({**query, "image": index}),
                lines=(said, f"is {true} · {alike:.2f}"),
                tip=f"{examples.name(other)}: {true}, taken for {said}, cosine {alike:.3f}",
            )
        )
    st.caption("By the angle between penultimate features, among the same images; 1 is the same.")
    opened, _ = tiles(drawn, [], f"alike-{row}", pickable=False)
    if opened is not None:
        url.go("pages/image.py", **query, image=str(opened))


def show_maps(table: Table, row: int) -> None:
    """Its maps at the weights that were kept along the run."""
    st.subheader("Where it looked, along the run")
    with parts.sentences():
        layers = cache_explain.layers(subject.checkpoint)
        question = Question(default_layer(layers).name)
        (asked,) = ask_about(table, [row], question.target)
        drawn = views("epochs", subject.run, table, row, question, layers)
        pixels = table.examples.pixels([row])[0]
        cams = [cache_explain.view_map(view, pixels) for view in drawn]
    name = asked_name(table.examples.classes, asked)
    st.caption(f"GradCAM at {question.layer}, what speaks for {name}. {ABOUT['epochs']}")
    draw_panels(pixels, "the image", panels(drawn, cams), question.opacity, grid=False)
    st.page_link(
        "pages/gradcam.py",
        label="Other layers, methods and classes",
        icon=":material/center_focus_strong:",
        query_params={**query, "images": str(table.examples.indices[row]), "beside": "epochs"},
    )


parts.heading("One image", "How it fared over the epochs, what is like it, where the model looked.")
subject = pick_subject()
split = pick_split(subject)
query = {**subject.query, "split": split}
found = table_of(subject, split)
with parts.sentences():
    shown = pick_row(found)
left, right = st.columns([1, 3], gap="large")
with left:
    st.html(picture(found.examples.pixels([shown])[0], found.examples.name(shown)))
    st.markdown(f"**{found.examples.name(shown)}**: {verdict(found, shown)}")
    st.caption(f"{found}, run {subject.run.name}")
with right:
    show_story(found, shown)
show_neighbours(found, shown)
if kept_along(subject.run):
    show_maps(found, shown)
