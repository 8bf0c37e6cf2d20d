"""Images that somebody picked: remembered in the session, kept under a name, linked by the URL."""

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
from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import url
from pages.ui.session.state import PICKED

EVERY = "every"


def picks_of(place: str) -> list[int]:
    """Indices picked in a run, checkpoint and split."""
    return st.session_state.setdefault(PICKED, {}).get(place, [])


def remember(place: str, picks: list[int]) -> None:
    """Keeps what is picked for this session."""
    st.session_state[PICKED][place] = picks


def forget_picks(place: str) -> None:
    """Nothing is picked any more."""
    st.session_state[PICKED].pop(place, None)
    st.session_state.pop(place, None)


def open_images(subject: Subject, split: str, indices: Sequence[int], sort: str) -> NoReturn:
    """Keeps some images, so that they have a link, and opens them in the gallery."""
    with parts.sentences():
        kept = save_selection(subject.run.path, split, indices)
    shown = {"selection": kept.selection_id, "show": "all", "sort": sort, "split": split}
    url.to_gallery(**subject.query, **shown)


def keep_picks(subject: Subject, split: str, picks: Sequence[int], label: str = "Keep") -> None:
    """Gives some images a name and a link."""
    num_named = len(named_selections(subject.run.path, split))  # one more closes it
    with (
        st.popover(label, icon=":material/bookmark_add:", key=f"keep-{label}-{num_named}"),
        st.form(f"selection-{label}", border=False),
    ):
        hint, key = "What they have in common", f"selection-{label}-name"
        name = st.text_input("Name", max_chars=MAX_NAME_LENGTH, placeholder=hint, key=key)
        st.caption("It stays with the run; its address can be passed on.")
        if st.form_submit_button("Keep", type="primary"):
            with parts.sentences():
                kept = save_selection(subject.run.path, split, picks, name)
            st.query_params.update({"selection": kept.selection_id, "show": "all"})
            for other in ("page", "true", "predicted", "sure"):
                st.query_params.pop(other, None)
            st.rerun()


def pick_selection(subject: Subject, split: str) -> Selection | None:
    """Lets people choose among the kept selections; none is drawn where there are none."""
    named = {one.selection_id: one for one in named_selections(subject.run.path, split)}
    if found := _asked(subject, split):
        named[found.selection_id] = found
    if not named:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = url.select(
            "Selection",
            "selection",
            [EVERY, *named],
            EVERY,
            shown=lambda key: "Every image" if key == EVERY else str(named[key]),
            forget=("page",),
        )
        if chosen == EVERY:
            return None
        keep_picks(subject, split, named[chosen].indices, "Name it")
        st.button(
            "Forget it",
            icon=":material/bookmark_remove:",
            on_click=_forget,
            args=(subject, chosen),
            help="The selection goes, the images stay.",
        )
    return named[chosen]


def _asked(subject: Subject, split: str) -> Selection | None:
    """The selection in the URL; one that is not there is said and left out."""
    asked = st.query_params.get("selection", EVERY)
    if asked == EVERY:
        return None
    try:
        found = find_selection(subject.run.path, asked)
    except RunError as error:
        st.warning(str(error), icon=":material/link_off:")
        found = None
    if found is None or found.split != split:
        st.query_params.pop("selection")
        return None
    return found


def _forget(subject: Subject, chosen: str) -> None:
    delete_selection(subject.run.path, chosen)
    st.query_params.pop("selection", None)
