"""The learning rate between the LR test and the training form: taken over, its origin shown."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cifar_core.config.lr_test import UNUSED
from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.jobs.launch import LROrigin
from cifar_core.runs.store import Run, find_run
from pages.ui.components.widgets import label_of
from pages.ui.session import cache
from pages.ui.session.state import LR_FROM, draft, replace_draft

TESTED = ("model", "optimizer", "batch_size", "precision", "augment")


def use_lr(run: Run, lr: float, rule: str) -> None:
    """Puts a learning rate into the training form, and notes which test it is from."""
    replace_draft({**draft(), "lr": lr})
    st.session_state[LR_FROM] = LROrigin(run.run_id, rule, lr)


def lr_origin(values: Mapping[str, Any]) -> None:
    """Says which test the form's learning rate is from, and whether it was of other settings."""
    origin = origin_of(float(values["lr"]))
    run = _test(origin.test) if origin else None
    if origin is None or run is None:
        icon = ":material/troubleshoot:"
        st.page_link("pages/lr_finder.py", label="Find a learning rate", icon=icon)
        return
    st.page_link(
        "pages/lr_finder.py",
        label=f"{origin.lr:g} is from the LR test of {run.created:%H:%M} UTC ({origin.rule})",
        icon=":material/troubleshoot:",
        query_params={"test": origin.test},
    )
    assert run.config is not None
    if other := differing(run.config, values):
        names = ", ".join(label_of(name).lower() for name in other)
        st.caption(f":orange[:material/warning: That test had another {names}.]")


def origin_of(lr: float) -> LROrigin | None:
    """Where the form's learning rate is from, as long as nobody has changed it since."""
    origin: LROrigin | None = st.session_state.get(LR_FROM)
    return origin if origin and origin.lr == lr else None


def run_origin(run: Run) -> None:
    """Says on a run which test its learning rate is from, and what that test was of."""
    facts = run.request.get("lr_from")
    if not isinstance(facts, dict):
        return
    said = ", ".join(f"{label_of(name).lower()} {facts[name]}" for name in TESTED if name in facts)
    st.page_link(
        "pages/lr_finder.py",
        label=f"Learning rate {facts.get('lr'):g} from an LR test ({facts.get('rule')}): {said}",
        icon=":material/troubleshoot:",
        query_params={"test": str(facts.get("test"))},
    )


def _test(run_id: str) -> Run | None:
    try:
        return find_run(cache.root(), run_id, "lr_find")
    except CifarCoreError:
        return None  # deleted meanwhile


def differing(tested: TrainConfig, values: Mapping[str, Any]) -> list[str]:
    """The fields that matter to an LR test and differ from the form's."""
    then = tested.model_dump(mode="json")
    return [n for n in then if n not in {*UNUSED, "device"} and values.get(n, then[n]) != then[n]]
