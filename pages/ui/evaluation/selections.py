"""Selected images: kept in the session, saved under a name, linked by the URL."""

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from cifar_core.errors import RunError
from cifar_core.evaluation.selections import (
    MAX_NAME_LENGTH,
    Selection,
    delete_selection,
    find_selection,
    named_selections,
    save_selection,
)
from cifar_core.runs.store import derived_dir
from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import messages, url
from pages.ui.session.state import SELECTED

ALL = "all"


def selected_indices(key: str) -> list[int]:
    """Indices selected in a run, checkpoint and split."""
    return st.session_state.setdefault(SELECTED, {}).get(key, [])


def remember_selected(key: str, selected: list[int]) -> None:
    """Keeps the selected indices for this session."""
    st.session_state[SELECTED][key] = selected


def clear_selected(key: str) -> None:
    """For `on_click`: clears the selection."""
    st.session_state[SELECTED].pop(key, None)
    st.session_state.pop(key, None)


def open_images(subject: Subject, split: str, indices: Sequence[int], sort: str) -> NoReturn:
    """Saves some images as a selection, which has a link, and opens it in the gallery."""
    with parts.show_errors():
        selection = save_selection(derived_dir(subject.run), split, indices)
    filters = {"selection": selection.selection_id, "show": "all", "sort": sort, "split": split}
    url.to_gallery(**subject.query, **filters)


def save_selected(
    subject: Subject, split: str, indices: Sequence[int], label: str = "Save selection"
) -> None:
    """The form that saves some images under a name."""
    num_named = len(named_selections(subject.run.derived, split))  # one more closes the popover
    with (
        st.popover(label, icon=":material/bookmark_add:", key=f"save-{label}-{num_named}"),
        st.form(f"selection-{label}", border=False),
    ):
        hint, key = "e.g. blurry cats", f"selection-{label}-name"
        name = st.text_input("Name", max_chars=MAX_NAME_LENGTH, placeholder=hint, key=key)
        st.caption("Saved with the run. Share it by copying the page's URL.")
        if st.form_submit_button("Save", type="primary"):
            with parts.show_errors():
                selection = save_selection(derived_dir(subject.run), split, indices, name)
            st.query_params.update({"selection": selection.selection_id, "show": "all"})
            for other in ("page", "true", "predicted", "sure"):
                st.query_params.pop(other, None)
            st.rerun()


def select_selection(subject: Subject, split: str) -> Selection | None:
    """Lets people choose a saved selection; draws nothing where there is none."""
    saved = {one.selection_id: one for one in named_selections(subject.run.derived, split)}
    if linked := _linked_selection(subject, split):
        saved[linked.selection_id] = linked
    if not saved:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = url.select(
            "Selection",
            "selection",
            [ALL, *saved],
            ALL,
            shown=lambda key: "All images" if key == ALL else str(saved[key]),
            forget=("page",),
        )
        if chosen == ALL:
            return None
        label = "Rename selection" if saved[chosen].name else "Name selection"
        save_selected(subject, split, saved[chosen].indices, label)
        st.button(
            "Delete selection",
            icon=":material/bookmark_remove:",
            on_click=_delete,
            args=(subject, chosen),
            help="Deletes the saved selection, not the images.",
        )
    return saved[chosen]


def _linked_selection(subject: Subject, split: str) -> Selection | None:
    """The selection in the URL; one that does not exist is reported and left out."""
    selection_id = st.query_params.get("selection", ALL)
    if selection_id == ALL:
        return None
    try:
        selection = find_selection(subject.run.derived, selection_id)
    except RunError as error:
        messages.warning(error, ":material/link_off:")
        selection = None
    if selection is None or selection.split != split:
        st.query_params.pop("selection")
        return None
    return selection


def _delete(subject: Subject, chosen: str) -> None:
    delete_selection(subject.run.derived, chosen)
    st.query_params.pop("selection", None)
