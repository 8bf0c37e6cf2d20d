"""The widget that suits a field of a settings model, made from what the field says."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cifar_core.validation import bounds, choices

LABELS = {
    "lr": "Learning rate",
    "weights": "Starting weights",
    "keep_epochs": "Epochs kept",
    "l1": "L1",
    "ema": "EMA decay",
    "pct_start": "Warm-up share",
    "gamma": "Drop factor",
    "step_epochs": "Epochs between drops",
    "num_workers": "Loader workers",
    "compile": "Compile the model",
    "tensorboard": "TensorBoard files",
    "train_size": "Training images",
    "val_size": "Validation images",
    "augment": "Augmentation",
    "data": "Data set",
    "start_lr": "First learning rate",
    "end_lr": "Last learning rate",
    "num_steps": "Steps",
    "num_seeds": "Seeds",
    "mode": "Spacing",
}


def label_of(name: str) -> str:
    """What a field is called on the screen."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def field_widget(
    field: FieldInfo,
    value: Any,
    common: dict[str, Any],
    options: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
) -> Any:
    """Draws the widget at a value and returns what it holds now.

    Args:
        common: Label, help and key.
        options: What may be chosen, where the field alone does not say.
        names: Of options, for people.
    """
    if options := [*(options or choices(field))]:
        options = options if value in options else [*options, value]
        named = names or {}
        return st.selectbox(
            options=options,
            index=options.index(value),
            format_func=lambda option: named.get(option, str(option)),
            **common,
        )
    if isinstance(field.default, bool):
        return st.toggle(value=bool(value), **common)
    return _number(field, value, common)


def _number(field: FieldInfo, value: Any, common: dict[str, Any]) -> Any:
    low, high = bounds(field)
    extra: Any = field.json_schema_extra
    kind = type(field.default)
    return st.number_input(
        min_value=None if low is None else kind(low),
        max_value=None if high is None else kind(high),
        value=kind(value),
        step=kind(extra["step"] or 1),
        format="%d" if kind is int else "%g",
        width=180,
        **common,
    )
