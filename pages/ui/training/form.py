"""The training form: one widget per field of `TrainConfig`."""

from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cifar_core.augment import PRESETS, AugmentSpec
from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import GROUPS, TrainConfig
from cifar_core.data.store import modified_copies
from cifar_core.models import MODELS
from pages.ui.components.parts import NAMES
from pages.ui.components.widgets import field_widget, label_of
from pages.ui.session import cache
from pages.ui.session.state import DATA, DRAFT_VERSION, SPEC, draft, replace_draft
from pages.ui.training.actions import starting_points
from pages.ui.training.lr_handoff import lr_origin

FROM_PAGE = "custom (Augmentation page)"
# Fields that are used only with one value of another field.
ONLY_WITH = {
    "pct_start": ("schedule", "onecycle"),
    "base_momentum": ("schedule", "onecycle"),
    "step_epochs": ("schedule", "step"),
    "gamma": ("schedule", "step"),
    "focal_gamma": ("loss", "focal"),
}


def start_values() -> dict[str, Any]:
    """The form's defaults: the quick recipe on a CPU, the reference recipe on a GPU."""
    on_cpu = cache.hardware().runtime.device == "cpu"
    values = recipe("quick" if on_cpu else "s11_resnet18").model_dump(mode="json")
    ready = cache.cifar10_state()[0] == "ready"
    values["data"] = st.session_state.get(DATA) or ("cifar10" if ready else "shapes10")
    return values


def fill_draft() -> dict[str, Any]:
    """The draft, filled with the defaults first."""
    if set(draft()) < set(TrainConfig.model_fields):
        replace_draft({**start_values(), **draft()})
    return draft()


def recipe_picker() -> None:
    """Pills that fill the form with a recipe's values."""

    def take() -> None:
        if name := st.session_state.get("recipe"):
            data = draft().get("data", "cifar10")
            replace_draft({**recipe(name).model_dump(mode="json"), "data": data})

    st.pills("Recipe", list(RECIPES), key="recipe", on_change=take, wrap=True)


def config_fields() -> dict[str, Any]:
    """Draws the fields by group and returns their values as plain JSON types."""
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
    if group == "Optimization":
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
    options = _options(name, values)
    return field_widget(field, value, common, list(options), options)


def _options(name: str, values: dict[str, Any]) -> dict[str, str]:
    """The choices of a field that does not define them itself, with their display names."""
    if name == "data":
        return {**NAMES, **modified_copies()}
    if name == "weights":
        return starting_points(values["model"])
    special = {"model": MODELS, "device": cache.hardware().devices}
    return {option: option for option in special.get(name, ())}


def _augment_widget(common: dict[str, Any], value: Any) -> Any:
    """A preset, the spec of the Augmentation page, or the draft's own spec."""
    current = AugmentSpec.model_validate(value)
    specs = dict(PRESETS)
    if built := st.session_state.get(SPEC):
        specs[FROM_PAGE] = AugmentSpec.model_validate(built)
    selected = next((name for name, spec in specs.items() if spec == current), None)
    if selected is None:
        selected = f"custom [{current.digest[:12]}]"
        specs[selected] = current
    options = list(specs)
    spec = specs[st.selectbox(options=options, index=options.index(selected), **common)]
    st.caption(f"`{spec.digest[:12]}` {spec}")
    return spec.model_dump(mode="json")
