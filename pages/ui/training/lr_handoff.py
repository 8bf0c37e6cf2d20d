"""From an LR test to the training form: using its learning rate, showing where it is from."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cifar_core.config.lr_test import UNUSED
from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError
from cifar_core.runs.requests import LROrigin
from cifar_core.runs.store import LRTestRun, TrainingRun, find_run
from pages.ui.components.widgets import label_of
from pages.ui.session import cache
from pages.ui.session.state import LR_ORIGIN, draft, replace_draft

TESTED = ("model", "optimizer", "batch_size", "precision", "augment")


def use_lr(run: LRTestRun, lr: float, rule: str) -> None:
    """Sets the training form's learning rate and records which test it is from."""
    replace_draft({**draft(), "lr": lr})
    st.session_state[LR_ORIGIN] = LROrigin(run.run_id, rule, lr)


def lr_origin(values: Mapping[str, Any]) -> None:
    """Shows which LR test the form's learning rate is from, and whether its settings differ."""
    origin = origin_of(float(values["lr"]))
    run = _test(origin.test) if origin else None
    if origin is None or run is None:
        icon = ":material/troubleshoot:"
        st.page_link("pages/lr_finder.py", label="Find a learning rate", icon=icon)
        return
    st.page_link(
        "pages/lr_finder.py",
        label=f"{origin.lr:g} from the LR test at {run.created:%H:%M} UTC ({origin.rule})",
        icon=":material/troubleshoot:",
        query_params={"test": origin.test},
    )
    if fields := differing(run.config, values):
        st.caption(f":orange[:material/warning: That test used different {_listed(fields)}.]")


def origin_of(lr: float) -> LROrigin | None:
    """The LR test that the form's learning rate is from, unless it was changed since."""
    origin: LROrigin | None = st.session_state.get(LR_ORIGIN)
    return origin if origin and origin.lr == lr else None


def run_origin(run: TrainingRun) -> None:
    """Shows which LR test a run's learning rate is from, and the settings of that test."""
    source = run.request.lr_from
    if source is None:
        return
    settings = {_in_text(name): getattr(source, name) for name in TESTED}
    tested = ", ".join(f"{label} {value}" for label, value in settings.items() if value)
    st.page_link(
        "pages/lr_finder.py",
        label=f"Learning rate {source.lr:g} from an LR test ({source.rule}): {tested}",
        icon=":material/troubleshoot:",
        query_params={"test": source.test},
    )


def _test(run_id: str) -> LRTestRun | None:
    try:
        return find_run(cache.root(), run_id, LRTestRun)
    except CifarCoreError:
        return None  # deleted in the meantime


def differing(tested: TrainConfig, values: Mapping[str, Any]) -> list[str]:
    """The settings used by an LR test that differ from the form's."""
    test = tested.model_dump(mode="json")
    return [n for n in test if n not in {*UNUSED, "device"} and values.get(n, test[n]) != test[n]]


def _listed(fields: list[str]) -> str:
    """Field labels as text, such as optimizer, batch size and augmentation."""
    *others, last = (_in_text(name) for name in fields)
    return f"{', '.join(others)} and {last}" if others else last


def _in_text(name: str) -> str:
    """A field's label inside a sentence; acronyms keep their capitals."""
    label = label_of(name)
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]
