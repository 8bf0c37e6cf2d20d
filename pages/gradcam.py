"""Grad-CAM: which places in an image speak for a class, in the eyes of one layer."""

import streamlit as st

from cifar_core.explain import MAX_IMAGES, ask_about, cards_of
from cifar_core.ordering import in_order
from cifar_core.tables import Table
from pages.ui import cache, parts, url
from pages.ui.boot import boot
from pages.ui.cams import download, draw_cards, pick_question
from pages.ui.own import own_image
from pages.ui.subject import Subject, pick_split, pick_subject, table_of

boot(__file__)

OWN = "your own"


def pick_rows(table: Table) -> list[int]:
    """The images in the URL; without any, the error that the model was most certain of."""
    text = st.query_params.get("images", "")
    if not text:
        worst = in_order(table, table.rows(), "confidence")[:1].tolist() or [0]
        text = st.query_params["images"] = str(int(table.examples.indices[worst[0]]))
    key = f"url-images-{text}"
    st.text_input(
        f"Images, by index, at most {MAX_IMAGES}",
        text,
        key=key,
        on_change=url.take,
        args=("images", key),
        help="Indices in the data set, with commas between. The gallery fills this in.",
    )
    return [table.examples.find(index) for index in url.numbers("images", text)]


def show_maps(subject: Subject, split: str) -> None:
    """Image, map and overlay of each image asked for, side by side."""
    table = table_of(subject, split)
    with parts.sentences():
        rows = pick_rows(table)
        question = pick_question(subject.checkpoint, ["predicted", "true", *table.examples.classes])
        asked = ask_about(table, rows, question.target)
        pixels = table.examples.pixels(rows)
        cams = cache.maps(
            subject.checkpoint, pixels, str(question.layer), tuple(asked), question.method
        )
    cards = cards_of(table, rows, asked, cams)
    draw_cards(cards, question.opacity)
    st.caption(f"{subject.run.name}: {table}")
    with st.container(horizontal=True, vertical_alignment="center"):
        download(cards, f"{subject.run.name}: {table}", question, cams)
        st.page_link(
            "pages/gallery.py",
            label="More images",
            icon=":material/photo_library:",
            query_params={**st.query_params.to_dict(), **subject.query, "split": split},
        )


parts.heading("Grad-CAM", "What the model looked at: which places speak for a class.")
chosen = pick_subject()
source = pick_split(chosen, OWN)
if source == OWN:
    own_image(chosen)
else:
    show_maps(chosen, source)
