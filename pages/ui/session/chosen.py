"""Run, checkpoint, images and split that this session looked at last, for pages opened without."""

from collections.abc import Collection, Sequence

import streamlit as st

from cifar_core.evaluation.predictions import SPLITS
from pages.ui.session.state import CHOSEN


def recall(run_ids: Collection[str], names: Sequence[str]) -> None:
    """Puts what was chosen last into an address that names no run, as after the sidebar.

    A link that names a run says all that matters: nothing is added to it.

    Args:
        run_ids: Runs that can be opened; another one is forgotten.
        names: Parameters that this page uses besides run, checkpoint and TTA.
    """
    chosen: dict[str, str] = st.session_state.get(CHOSEN, {})
    if "run" in st.query_params or chosen.get("run") not in run_ids:
        return
    for name in ("run", "checkpoint", "flip", *names):
        if chosen.get(name) and name not in st.query_params:
            st.query_params[name] = chosen[name]


def remember_subject(run_id: str, checkpoint: str, flip: str) -> None:
    """Notes run, checkpoint and TTA; split and images of another run are forgotten."""
    chosen: dict[str, str] = st.session_state.get(CHOSEN, {})
    kept = chosen if chosen.get("run") == run_id else {}
    st.session_state[CHOSEN] = {**kept, "run": run_id, "checkpoint": checkpoint, "flip": flip}


def remember_split(split: str) -> None:
    """Notes the split; images of another one are forgotten, and so is a picture of one's own."""
    chosen: dict[str, str] = st.session_state.get(CHOSEN, {})
    if split in SPLITS and chosen.get("split") != split:
        chosen = {name: chosen[name] for name in ("run", "checkpoint", "flip") if name in chosen}
        st.session_state[CHOSEN] = {**chosen, "split": split}


def remember_images(indices: Sequence[int]) -> None:
    """Notes the indices of the images within run and split; one of several leaves them chosen."""
    chosen: dict[str, str] = st.session_state.get(CHOSEN, {})
    texts = [str(index) for index in indices]
    before = chosen.get("images", "").split(",")
    images = before if len(texts) == 1 and texts[0] in before else texts
    st.session_state[CHOSEN] = {**chosen, "images": ",".join(images), "image": texts[0]}
