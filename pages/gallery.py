"""Gallery: images with their predictions, filtered and sorted; a click opens Grad-CAM."""

import streamlit as st

from cifar_core.evaluation.export import images_png, images_zip
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.maps import MAX_IMAGES
from pages.ui.components import parts
from pages.ui.components.tiles import tiles
from pages.ui.evaluation.checkpoint_picker import Subject, select_split, select_subject
from pages.ui.evaluation.error_tiles import image_tile
from pages.ui.evaluation.filters import filtered_rows, label_issue_rows
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.evaluation.selections import (
    clear_selected,
    remember_selected,
    save_selected,
    selected_indices,
)
from pages.ui.session import messages, url
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)

MAX_ZIP_IMAGES = 5000


def open_gradcam(indices: list[int]) -> None:
    """Opens the Grad-CAM page with these images."""
    url.go("pages/gradcam.py", **query, images=",".join(str(index) for index in indices))


def show_page(predictions: Predictions, rows: list[int]) -> None:
    """One page of tiles under a bar of actions."""
    num_pages = -(-len(rows) // MAX_IMAGES)
    page = url.page_of(num_pages)
    page_rows = rows[(page - 1) * MAX_IMAGES : page * MAX_IMAGES]
    bar = st.container(horizontal=True, vertical_alignment="center")
    key = f"{subject.run.run_id}/{subject.checkpoint.name}/{split}"
    label_issues = set(label_issue_rows(predictions).tolist())
    page_tiles = [image_tile(predictions, row, query, row in label_issues) for row in page_rows]
    opened, selected = tiles(page_tiles, selected_indices(key), key)
    remember_selected(key, selected)
    url.page_buttons(num_pages, page)
    with bar:
        if selected:
            selection_actions(selected, key)
        label = "this page" if num_pages > 1 else parts.count(len(page_rows), "image")
        if st.button(f"Grad-CAM for {label}", icon=":material/filter_center_focus:"):
            open_gradcam([int(predictions.examples.indices[row]) for row in page_rows])
        zip_button(predictions, rows, selected)
        png_button(predictions, page_rows, selected)
        st.page_link(
            "pages/evaluation.py",
            label="Evaluation",
            icon=":material/fact_check:",
            query_params=query,
        )
    if opened is not None:
        open_gradcam([opened])


def zip_button(predictions: Predictions, rows: list[int], selected: list[int]) -> None:
    """Downloads the selected images, or without a selection all filtered ones."""
    first = f" (first {MAX_ZIP_IMAGES:,})" if not selected and len(rows) > MAX_ZIP_IMAGES else ""
    zip_rows = [predictions.examples.find(index) for index in selected] or rows[:MAX_ZIP_IMAGES]
    st.download_button(
        f"Download ZIP{first}",
        lambda: images_zip(predictions, zip_rows),
        file_name=f"{subject.run.name}-{split}.zip",
        mime="application/zip",
        icon=":material/download:",
        help="PNG files and a CSV of the selected images; without a selection, of all "
        "filtered images.",
        on_click="ignore",
    )


def png_button(predictions: Predictions, page_rows: list[int], selected: list[int]) -> None:
    """Downloads the selected images, or without a selection those of this page, as a sheet."""
    png_rows = [predictions.examples.find(index) for index in selected] or page_rows
    st.download_button(
        "Download PNG",
        lambda: images_png(subject.run.name, predictions, png_rows),
        file_name=f"{subject.run.name}-{split}.png",
        mime="image/png",
        icon=":material/image:",
        help="A sheet of the selected images; without a selection, of this page.",
        on_click="ignore",
    )


def selection_actions(selected: list[int], key: str) -> None:
    """Grad-CAM, saving and clearing of the selected images."""
    label = f"Grad-CAM for {len(selected):,} selected"
    if len(selected) > MAX_IMAGES:
        label = f"Grad-CAM for the first {MAX_IMAGES} of {len(selected):,} selected"
    if st.button(label, type="primary", icon=":material/center_focus_strong:"):
        open_gradcam(selected[:MAX_IMAGES])
    save_selected(subject, split, selected)
    icon = ":material/deselect:"
    st.button("Clear selection", icon=icon, on_click=clear_selected, args=(key,))


parts.heading("Gallery", "Browse predictions; click an image for its Grad-CAM")
subject: Subject = select_subject("split")
parts.name_tab(subject.run.name, "Gallery")
split = select_split(subject)
predictions = predictions_of(subject, split)
query = {**subject.query, "split": split}
rows = filtered_rows(subject, predictions)
if rows:
    st.caption(f"**{len(rows):,}** of {plain(predictions)}, run {plain(subject.run.name)}")
    show_page(predictions, rows)
else:
    messages.info(
        f"No matching images among the {predictions}. Change the filters, or show all images.",
        icon=":material/filter_alt_off:",
    )
