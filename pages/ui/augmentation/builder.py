"""The augmentation builder: an ordered list of operations with probabilities and parameters."""

import itertools
from typing import Any

import streamlit as st

from cifar_core.augment import CATALOG, AugmentSpec, Param
from cifar_core.augment.spec import MAX_MEMBERS, MAX_OPERATIONS
from pages.ui.session.state import BUILDER, STEP_NUMBERS

Step = dict[str, Any]  # name, p, params, operations, and a unique number
ADD = "Add operation"


def load(spec: AugmentSpec) -> None:
    """Replaces the builder's operations by those of a spec."""
    st.session_state[BUILDER] = [_step(op) for op in spec.model_dump(mode="json")["operations"]]


def is_initialized() -> bool:
    """Whether a spec was loaded in this session."""
    return BUILDER in st.session_state


def edit() -> Step:
    """Draws the operations and returns their current values, as input for `AugmentSpec`."""
    steps: list[Step] = st.session_state[BUILDER]
    for position, step in enumerate(steps):
        _draw(steps, position, step)
    if not steps:
        st.caption("No augmentation. Add an operation below.")
    if _number(steps) < MAX_OPERATIONS:
        _add(steps, "add", list(CATALOG))
    return {"operations": [_plain(step) for step in steps]}


def _number(steps: list[Step]) -> int:
    return sum(1 + len(step["operations"]) for step in steps)


def _step(raw: Step) -> Step:
    numbers = st.session_state.setdefault(STEP_NUMBERS, itertools.count())
    members = [_step(member) for member in raw.get("operations", ())]
    return {**raw, "number": next(numbers), "operations": members}


def _plain(step: Step) -> Step:
    plain = {key: step[key] for key in ("name", "p", "params")}
    if CATALOG[step["name"]].holds:
        plain["operations"] = [_plain(member) for member in step["operations"]]
    return plain


def _draw(steps: list[Step], position: int, step: Step, p_label: str = "Probability") -> None:
    """One operation: name, position, probability or weight, parameters, nested operations."""
    transform, key = CATALOG[step["name"]], f"step-{step['number']}"
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{step['name']}**", width="stretch")
            first, last = position == 0, position == len(steps) - 1
            _move("Up", f"{key}-up", steps, position, position - 1, first, "Move up")
            _move("Down", f"{key}-down", steps, position, position + 1, last, "Move down")
            st.button(
                "Remove",
                key=f"{key}-remove",
                type="tertiary",
                help=f"Remove {step['name']}",
                on_click=lambda: _remove(steps, position),
            )
        st.caption(transform.about)
        columns = st.columns(2, gap="small")
        with columns[0]:
            step["p"] = st.slider(p_label, 0.0, 1.0, float(step["p"]), 0.05, key=f"{key}-p")
        for number, param in enumerate(transform.params_of(step["params"]), start=1):
            with st.container() if param.choices else columns[number % 2]:
                step["params"][param.name] = _widget(param, step["params"][param.name], key)
        if transform.holds:
            label = "Weight" if step["name"] == "OneOf" else "Probability"
            for number, member in enumerate(step["operations"]):
                _draw(step["operations"], number, member, label)
            if len(step["operations"]) < MAX_MEMBERS:
                inside = [n for n, t in CATALOG.items() if t.group not in ("Choice", "Mixing")]
                _add(step["operations"], f"{key}-add", inside)


def _remove(steps: list[Step], position: int) -> None:
    del steps[position]


def _move(
    label: str, key: str, steps: list[Step], position: int, to: int, disabled: bool, tip: str
) -> None:
    def swap() -> None:
        steps[position], steps[to] = steps[to], steps[position]

    st.button(
        label,  # a button of an icon alone has no name for a screen reader
        key=key,
        type="tertiary",
        disabled=disabled,
        help=tip,
        on_click=swap,
    )


def _add(steps: list[Step], key: str, names: list[str]) -> None:
    """The list of operations to add; a new one goes to the end, before any mixing operation."""

    def take() -> None:
        if name := st.session_state[key]:
            st.session_state[key] = None
            steps.insert(_insert_position(name, steps), _step(_new(name)))

    st.selectbox(
        "Add",
        names,
        index=None,
        key=key,
        placeholder=ADD,
        format_func=lambda name: f"{CATALOG[name].group} · {name}",
        label_visibility="collapsed",
        on_change=take,
    )


def _insert_position(name: str, steps: list[Step]) -> int:
    if CATALOG[name].group == "Mixing":
        return len(steps)
    return sum(CATALOG[step["name"]].group != "Mixing" for step in steps)


def _new(name: str) -> Step:
    transform = CATALOG[name]
    params = {p.name: list(v) if isinstance(v := p.default, tuple) else v for p in transform.params}
    members = ["HorizontalFlip", "ToGray"] if transform.holds else []
    return {
        "name": name,
        "p": transform.p,
        "params": params,
        "operations": [_new(member) for member in members],
    }


def _widget(param: Param, value: Any, key: str) -> Any:
    """The widget of one parameter; returns its value."""
    common: dict[str, Any] = {
        "label": param.name.replace("_", " ").capitalize(),
        "help": param.help,
        "key": f"{key}-{param.name}",
    }
    if param.choices:
        options = list(param.choices)
        return st.selectbox(options=options, index=options.index(value), **common)
    if isinstance(param.default, tuple) and len(param.default) == 3:
        color = st.color_picker(value="#{:02x}{:02x}{:02x}".format(*value), **common)
        return [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    if isinstance(param.default, bool):
        return st.toggle(value=value, **common)
    low, high = (int(v) if param.whole else float(v) for v in (param.low, param.high))
    now = tuple(value) if isinstance(value, list | tuple) else value
    if param.odd:
        return list(
            st.select_slider(options=range(int(low), int(high) + 1, 2), value=now, **common)
        )
    step = 1 if param.whole else (high - low) / 200
    selected = st.slider(min_value=low, max_value=high, value=now, step=step, **common)
    return list(selected) if isinstance(selected, tuple) else selected
