"""Stepping through the errors of a model, the most confident first."""

from collections.abc import Sequence

import streamlit as st

from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors


def step_through_errors(predictions: Predictions, rows: Sequence[int]) -> None:
    """Buttons to the error before and after the first of these images, and where it stands."""
    errors = most_confident_errors(predictions, len(predictions.predicted))
    if not errors:
        st.caption("This model makes no errors on these images.")
        return
    place = errors.index(rows[0]) if rows[0] in errors else None
    before = None if place in (None, 0) else errors[place - 1]
    after = errors[0] if place is None else next(iter(errors[place + 1 :]), None)
    _button("Previous error", ":material/arrow_back:", predictions, before)
    _button("Next error", ":material/arrow_forward:", predictions, after)
    where = f"Classified correctly; {len(errors):,} errors"
    if place is not None:
        where = f"Error {place + 1:,} of {len(errors):,}, most confident first"
    st.caption(where, width="content")


def _button(label: str, icon: str, predictions: Predictions, row: int | None) -> None:
    index = None if row is None else str(predictions.examples.indices[row])
    st.button(label, icon=icon, disabled=index is None, on_click=_open, args=(index,))


def _open(index: str) -> None:
    st.query_params["images"] = index
