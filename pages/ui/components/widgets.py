"""The widget for a field of a settings model, derived from the field's type and bounds."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cifar_core.validation import bounds, choices

LABELS = {
    "lr": "Learning rate",
    "weights": "Initialization",
    "keep_epochs": "Checkpoints to keep",
    "l1": "L1 penalty",
    "ema": "EMA decay",
    "pct_start": "Warm-up fraction",
    "gamma": "Gamma",
    "step_epochs": "Step size (epochs)",
    "num_workers": "DataLoader workers",
    "compile": "torch.compile",
    "tensorboard": "TensorBoard logs",
    "train_size": "Training images",
    "val_size": "Validation images",
    "augment": "Augmentation",
    "bn_momentum": "Batch norm momentum",
    "data": "Dataset",
    "start_lr": "Start LR",
    "end_lr": "End LR",
    "num_steps": "Steps",
    "num_seeds": "Seeds",
    "mode": "Spacing",
    "diverge_factor": "Divergence factor",
}


def label_of(name: str) -> str:
    """A field's label."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def field_widget(
    field: FieldInfo,
    value: Any,
    common: dict[str, Any],
    options: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
) -> Any:
    """Draws the widget with a value and returns its current value.

    Args:
        common: Label, help and key.
        options: The choices, if the field does not define them.
        names: Display names of options.
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
