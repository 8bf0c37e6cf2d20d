"""The training form: one widget per field of `TrainConfig`, made from what the field says."""

from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cifar_core.augment import PRESETS, AugmentSpec
from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import GROUPS, TrainConfig
from cifar_core.data.store import altered_copies
from cifar_core.models import MODELS
from pages.ui.components.parts import NAMES
from pages.ui.components.widgets import field_widget, label_of
from pages.ui.session import cache
from pages.ui.session.state import DATA, DRAFT_VERSION, SPEC, draft, replace_draft
from pages.ui.training.actions import starting_points
from pages.ui.training.lr_handoff import lr_origin

FROM_PAGE = "as on the Augmentation page"
# Fields that only one choice of another field uses.
ONLY_WITH = {
    "pct_start": ("schedule", "onecycle"),
    "step_epochs": ("schedule", "step"),
    "gamma": ("schedule", "step"),
}


def start_values() -> dict[str, Any]:
    """What an untouched form shows: the quick recipe on a CPU, the reference on a GPU."""
    on_cpu = cache.hardware().runtime.device == "cpu"
    values = recipe("quick" if on_cpu else "s11_resnet18").model_dump(mode="json")
    ready = cache.cifar10_state()[0] == "ready"
    values["data"] = st.session_state.get(DATA) or ("cifar10" if ready else "shapes10")
    return values


def fill_draft() -> dict[str, Any]:
    """The draft, begun with the start values."""
    if set(draft()) < set(TrainConfig.model_fields):
        replace_draft({**start_values(), **draft()})
    return draft()


def recipe_picker() -> None:
    """Puts a recipe's values into the form."""

    def take() -> None:
        if name := st.session_state.get("recipe"):
            data = draft().get("data", "cifar10")
            replace_draft({**recipe(name).model_dump(mode="json"), "data": data})

    st.pills("Start from a recipe", list(RECIPES), key="recipe", on_change=take, wrap=True)


def config_fields() -> dict[str, Any]:
    """Draws the fields by group and returns their values as plain ones."""
    values = fill_draft()
    common, rare = GROUPS[:4], GROUPS[4:]
    columns = st.columns(2, gap="large")
    for number, group in enumerate(common):
        with columns[number // 3]:
            _group(group, values)
    with columns[1], st.expander("Schedule, hardware, seed", icon=":material/tune:"):
        for group in rare:
            _group(group, values)
    return values


def _group(group: str, values: dict[str, Any]) -> None:
    st.subheader(group)
    with st.container(horizontal=True):
        for name, field in TrainConfig.model_fields.items():
            extra = field.json_schema_extra
            if not isinstance(extra, dict) or extra["group"] != group:
                continue
            other, needed = ONLY_WITH.get(name, ("", None))
            if not other or values.get(other) == needed:
                values[name] = _widget(name, field, values)
    if group == "Model":
        st.caption(MODELS[values["model"]].about)
    if group == "Optimisation":
        lr_origin(values)


def _widget(name: str, field: FieldInfo, values: dict[str, Any]) -> Any:
    """The widget that suits the field's type, at the draft's value."""
    value, version = values[name], st.session_state.get(DRAFT_VERSION, 0)
    common: dict[str, Any] = {
        "label": label_of(name),
        "help": field.description,
        "key": f"field-{version}-{name}",
    }
    if name == "augment":
        return _augment_widget(common, value)
    offered = _offered(name, values)
    return field_widget(field, value, common, list(offered), offered)


def _offered(name: str, values: dict[str, Any]) -> dict[str, str]:
    """What may be chosen where the field alone does not say, and what it is called."""
    if name == "data":
        return {**NAMES, **altered_copies()}
    if name == "weights":
        return starting_points(values["model"])
    special = {"model": MODELS, "device": cache.hardware().devices}
    return {option: option for option in special.get(name, ())}


def _augment_widget(common: dict[str, Any], value: Any) -> Any:
    """A preset, what was built on the Augmentation page, or what the form has of its own."""
    now = AugmentSpec.model_validate(value)
    offered = dict(PRESETS)
    if built := st.session_state.get(SPEC):
        offered[FROM_PAGE] = AugmentSpec.model_validate(built)
    named = next((name for name, spec in offered.items() if spec == now), None)
    if named is None:
        named = f"this form's own [{now.digest[:12]}]"
        offered[named] = now
    options = list(offered)
    spec = offered[st.selectbox(options=options, index=options.index(named), **common)]
    st.caption(f"`{spec.digest[:12]}` {spec}")
    return spec.model_dump(mode="json")
