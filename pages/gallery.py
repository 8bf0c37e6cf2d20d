"""Gallery: the images a model gets wrong, filtered and sorted; a click leads to the map."""

from collections.abc import Collection
from urllib.parse import urlencode

import streamlit as st

from cifar_core.data.encode import data_uri
from cifar_core.evaluation.export import images_zip
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.maps import MAX_IMAGES
from pages.ui.components import parts
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import Subject, pick_split, pick_subject
from pages.ui.evaluation.filters import filtered_rows, label_issue_rows
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.evaluation.selections import forget_picks, keep_picks, picks_of, remember
from pages.ui.session import url
from pages.ui.session.boot import boot

boot(__file__)

MOST_TAKEN = 5000  # images in a ZIP


def tile(predictions: Predictions, row: int, label_issues: Collection[int]) -> Tile:
    """One image with its classes and the model's confidence."""
    examples = predictions.examples
    true = examples.classes[examples.labels[row]]
    predicted = examples.classes[predictions.predicted[row]]
    index = int(examples.indices[row])
    verdict = f"{predicted} {predictions.confidence[row]:.0%}"
    note = ", possible label error" if row in label_issues else ""
    return Tile(
        id=index,
        src=data_uri(examples.pixels([row])[0]),
        href="gradcam?" + urlencode({**query, "images": index}),
        lines=(verdict, f"is {true}{'?' if note else ''}"),
        tip=f"{examples.name(row)}: {true}, predicted {verdict}, "
        f"loss {predictions.losses[row]:.2f}{note}",
    )


def open_maps(indices: list[int]) -> None:
    """Opens the Grad-CAM page with these images."""
    url.go("pages/gradcam.py", **query, images=",".join(str(index) for index in indices))


def show_page(predictions: Predictions, rows: list[int]) -> None:
    """One page of tiles, and the ways on to their maps."""
    num_pages = -(-len(rows) // MAX_IMAGES)
    page = url.page_of(num_pages)
    here = rows[(page - 1) * MAX_IMAGES : page * MAX_IMAGES]
    bar = st.container(horizontal=True, vertical_alignment="center")
    place = f"{subject.run.run_id}/{subject.checkpoint.name}/{split}"
    label_issues = set(label_issue_rows(predictions).tolist())
    drawn = [tile(predictions, row, label_issues) for row in here]
    opened, picks = tiles(drawn, picks_of(place), place)
    remember(place, picks)
    url.page_buttons(num_pages, page)
    with bar:
        if picks:
            ways_on_from(picks, place)
        label = "Maps of this page" if num_pages > 1 else f"Maps of all {len(here)}"
        if st.button(label, icon=":material/filter_center_focus:"):
            open_maps([int(predictions.examples.indices[row]) for row in here])
        wanted = [predictions.examples.find(index) for index in picks] or rows[:MOST_TAKEN]
        first = f" of the first {MOST_TAKEN:,}" if not picks and len(rows) > MOST_TAKEN else ""
        st.download_button(
            f"ZIP{first}",
            lambda: images_zip(predictions, wanted),
            file_name=f"{subject.run.name}-{split}.zip",
            mime="application/zip",
            icon=":material/download:",
            help="PNGs and a CSV of what was picked, else of all that is filtered.",
            on_click="ignore",
        )
        st.page_link(
            "pages/evaluation.py",
            label="Evaluation",
            icon=":material/fact_check:",
            query_params=query,
        )
    if opened is not None:
        open_maps([opened])


def ways_on_from(picks: list[int], place: str) -> None:
    """To the maps of what was picked, to keeping it, or back to nothing picked."""
    label = f"Maps of the {len(picks)} picked"
    if len(picks) > MAX_IMAGES:
        label = f"Maps of the first {MAX_IMAGES} of {len(picks)} picked"
    if st.button(label, type="primary", icon=":material/center_focus_strong:"):
        open_maps(picks[:MAX_IMAGES])
    keep_picks(subject, split, picks)
    st.button("Pick none", icon=":material/deselect:", on_click=forget_picks, args=(place,))


parts.heading("Gallery", "The images a model gets wrong. A click shows what it looked at.")
subject: Subject = pick_subject()
split = pick_split(subject)
found = predictions_of(subject, split)
query = {**subject.query, "split": split}
rows = filtered_rows(subject, found)
if rows:
    st.caption(f"**{len(rows):,}** of {found}, run {subject.run.name}")
    show_page(found, rows)
else:
    st.info(f"None of {found} is like that. Choose other classes, or show all.")
