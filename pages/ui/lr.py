"""The learning rate between the LR test and the training form: taken over, its origin shown."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cifar_core.config import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.lr_finder import UNUSED
from cifar_core.runs import Run, find_run
from pages.ui import cache
from pages.ui.state import LR_FROM, draft, replace_draft
from pages.ui.widgets import label_of


def use_lr(run: Run, lr: float) -> None:
    """Puts a suggested learning rate into the training form."""
    replace_draft({**draft(), "lr": lr})
    st.session_state[LR_FROM] = (lr, run.run_id)


def lr_origin(values: Mapping[str, Any]) -> None:
    """Says which test the form's learning rate is from, and whether it was of other settings."""
    lr, run_id = st.session_state.get(LR_FROM, (None, ""))
    run = _test(run_id) if values["lr"] == lr else None
    if run is None:
        icon = ":material/troubleshoot:"
        st.page_link("pages/lr_finder.py", label="Find a learning rate", icon=icon)
        return
    st.page_link(
        "pages/lr_finder.py",
        label=f"{lr:g} is from the LR test of {run.created:%H:%M} UTC",
        icon=":material/troubleshoot:",
        query_params={"test": run_id},
    )
    assert run.config is not None
    if other := differing(run.config, values):
        names = ", ".join(label_of(name).lower() for name in other)
        st.caption(f":orange[:material/warning: That test had another {names}.]")


def _test(run_id: str) -> Run | None:
    try:
        return find_run(cache.root(), run_id, "lr_find")
    except CifarCoreError:
        return None  # deleted meanwhile


def differing(tested: TrainConfig, values: Mapping[str, Any]) -> list[str]:
    """The fields that matter to an LR test and differ from the form's."""
    then = tested.model_dump(mode="json")
    return [n for n in then if n not in {*UNUSED, "device"} and values.get(n, then[n]) != then[n]]
