"""The learning rate between the LR test and the training form: taken over, its origin shown."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cifar_core.config.lr_test import UNUSED
from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.runs.files import LROrigin
from cifar_core.runs.store import LRTestRun, TrainingRun, find_run
from pages.ui.components.widgets import label_of
from pages.ui.session import cache
from pages.ui.session.state import LR_FROM, draft, replace_draft

TESTED = ("model", "optimizer", "batch_size", "precision", "augment")


def use_lr(run: LRTestRun, lr: float, rule: str) -> None:
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
    if other := differing(run.config, values):
        names = ", ".join(label_of(name).lower() for name in other)
        st.caption(f":orange[:material/warning: That test had another {names}.]")


def origin_of(lr: float) -> LROrigin | None:
    """Where the form's learning rate is from, as long as nobody has changed it since."""
    origin: LROrigin | None = st.session_state.get(LR_FROM)
    return origin if origin and origin.lr == lr else None


def run_origin(run: TrainingRun) -> None:
    """Says on a run which test its learning rate is from, and what that test was of."""
    source = run.request.lr_from
    if source is None:
        return
    settings = {name: getattr(source, name) for name in TESTED}
    said = ", ".join(
        f"{label_of(name).lower()} {value}" for name, value in settings.items() if value
    )
    st.page_link(
        "pages/lr_finder.py",
        label=f"Learning rate {source.lr:g} from an LR test ({source.rule}): {said}",
        icon=":material/troubleshoot:",
        query_params={"test": source.test},
    )


def _test(run_id: str) -> LRTestRun | None:
    try:
        return find_run(cache.root(), run_id, LRTestRun)
    except CifarCoreError:
        return None  # deleted meanwhile


def differing(tested: TrainConfig, values: Mapping[str, Any]) -> list[str]:
    """The fields that matter to an LR test and differ from the form's."""
    then = tested.model_dump(mode="json")
    return [n for n in then if n not in {*UNUSED, "device"} and values.get(n, then[n]) != then[n]]
