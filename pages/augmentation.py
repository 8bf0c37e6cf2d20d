"""Augmentation: choose a preset or build a spec, see what training will see, use it there."""

from typing import Any

import numpy as np
import streamlit as st

from cifar_core.augment import CATALOGUE, PRESETS, AugmentSpec, Operation, Param
from cifar_core.config import make_config
from pages.ui import images, parts
from pages.ui.boot import boot
from pages.ui.state import SPEC, SPEC_VERSION, draft, replace_draft

boot(__file__)


def take_preset() -> None:
    """Puts a preset's operations into the builder."""
    if name := st.session_state.get("preset"):
        remember(PRESETS[name])
        st.session_state[SPEC_VERSION] = st.session_state.get(SPEC_VERSION, 0) + 1


def remember(spec: AugmentSpec) -> None:
    """Keeps the spec for this page's next visit and for the training form."""
    st.session_state[SPEC] = spec.model_dump(mode="json")


def current() -> AugmentSpec:
    """The spec in the builder: the one kept, that of the training form, or the standard one."""
    kept = st.session_state.get(SPEC) or draft().get("augment")
    return AugmentSpec.model_validate(kept) if kept else PRESETS["standard"]


def build(spec: AugmentSpec) -> dict[str, Any]:
    """Switches for every operation of the catalogue; those of the spec keep their order."""
    present: dict[tuple[str, int], Operation] = {}  # an operation may stand there twice
    for op in spec.operations:
        present[op.name, sum(op.name == name for name, _ in present)] = op
    entries = list(present) + [(name, 0) for name in CATALOGUE if (name, 0) not in present]
    entries.sort(key=lambda entry: CATALOGUE[entry[0]].group == "Mixing")
    chosen: dict[int, dict[str, Any]] = {}
    for group in dict.fromkeys(transform.group for transform in CATALOGUE.values()):
        used = any(op.transform.group == group for op in spec.operations)
        with st.expander(group, expanded=used):
            for place, entry in enumerate(entries):
                if CATALOGUE[entry[0]].group == group:
                    values = operation(*entry, present.get(entry))
                    chosen |= {place: values} if values else {}
    return {"operations": [chosen[place] for place in sorted(chosen)]}


def operation(name: str, number: int, now: Operation | None) -> dict[str, Any] | None:
    """The switch, the probability and the parameters of one operation."""
    transform = CATALOGUE[name]
    key = f"aug-{st.session_state.get(SPEC_VERSION, 0)}-{name}-{number}"
    label = f"{name}, once more" if number else name
    if not st.toggle(label, value=now is not None, help=transform.about, key=key):
        return None
    now = now or Operation(name=name)
    with st.container(border=True):
        p = st.slider("Probability", 0.0, 1.0, now.p, 0.05, key=f"{key}-p")
        params = {
            q.name: parameter(q, now.params[q.name], f"{key}-{q.name}") for q in transform.params
        }
    return {"name": name, "p": p, "params": params}


def parameter(param: Param, value: Any, key: str) -> Any:
    """The widget of one parameter."""
    label = param.name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"label": label, "help": param.help, "key": key}
    if param.choices:
        options = list(param.choices)
        return st.selectbox(options=options, index=options.index(value), **common)
    whole = isinstance(
        param.default if not isinstance(param.default, tuple) else param.default[0], int
    )
    low, high = (int(v) if whole else float(v) for v in (param.low, param.high))
    step = 1 if whole else (high - low) / 200
    now = tuple(value) if isinstance(value, list | tuple) else value
    return st.slider(min_value=low, max_value=high, value=now, step=step, **common)


def show(spec: AugmentSpec) -> None:
    """Originals and draws, by the path that the run will take."""
    from cifar_core.augment.preview import one_per_class, preview

    with st.container(horizontal=True, vertical_alignment="bottom"):
        num_draws = st.number_input("Draws", 1, 16, 6, width=130)
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, width=150, help="Same seed, same draws.")
        which = st.number_input("Image of each class", 1, 1000, 1, width=190)
    indices = one_per_class(data.train, which - 1)
    with parts.sentences():
        shown = preview(spec, data, indices, num_draws, seed)
    rows = []
    for n, index in enumerate(indices):
        label = data.classes[data.train.labels[index]]
        tips = [f"{label}, as it is", *(f"fired: {fired[n]}" for fired in shown.fired)]
        rows.append((label, np.concatenate([shown.originals[n : n + 1], shown.draws[:, n]]), tips))
    images.tile_rows(rows)
    st.caption("Left of the line: as it is. Rest the pointer on a draw to see what fired.")


parts.heading("Augmentation", "What each epoch makes of an image; the run uses exactly this.")
data = parts.pick_data()
view, builder = st.columns([8, 5], gap="large")
with builder:
    with parts.sentences():
        chosen = make_config({"augment": build(current())}).augment
    remember(chosen)
with view:
    st.pills("Preset", list(PRESETS), key="preset", on_change=take_preset, wrap=True)
    path = "batched kernels" if chosen.batched else "albumentations in loader workers"
    st.markdown(f"`{chosen.digest[:12]}` {chosen}  \n:small[runs by {path}]")
    with st.container(horizontal=True):
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            replace_draft({**draft(), "augment": chosen.model_dump(mode="json")})
            st.switch_page("pages/train.py")
        st.download_button(
            "JSON",
            chosen.to_json(),
            f"augment-{chosen.digest[:12]}.json",
            icon=":material/download:",
        )
    show(chosen)
