"""The builder of an augmentation: operations in order, each with its probability and parameters."""

import itertools
from typing import Any

import streamlit as st

from cifar_core.augment import CATALOGUE, AugmentSpec, Param
from cifar_core.augment.spec import MAX_MEMBERS
from pages.ui.session.state import BUILDER, STEPS_MADE

Step = dict[str, Any]  # name, p, params, operations, and a number of its own
ADD = "Add an operation …"


def put(spec: AugmentSpec) -> None:
    """Puts a spec's operations into the builder; its widgets are drawn anew."""
    st.session_state[BUILDER] = [_step(op) for op in spec.model_dump(mode="json")["operations"]]


def filled() -> bool:
    """Whether the builder was begun in this session."""
    return BUILDER in st.session_state


def build() -> Step:
    """Draws the operations and returns what stands there, for `AugmentSpec`."""
    steps: list[Step] = st.session_state[BUILDER]
    for place, step in enumerate(steps):
        _draw(steps, place, step)
    if not steps:
        st.caption("Nothing happens to the images yet.")
    _add(steps, "add", list(CATALOGUE))
    return {"operations": [_plain(step) for step in steps]}


def _step(raw: Step) -> Step:
    numbers = st.session_state.setdefault(STEPS_MADE, itertools.count())
    members = [_step(member) for member in raw.get("operations", ())]
    return {**raw, "number": next(numbers), "operations": members}


def _plain(step: Step) -> Step:
    kept = {key: step[key] for key in ("name", "p", "params")}
    held = CATALOGUE[step["name"]].holds
    return {**kept, "operations": [_plain(m) for m in step["operations"]]} if held else kept


def _draw(steps: list[Step], place: int, step: Step, chance: str = "Probability") -> None:
    """One operation: what it is, its place, its values; `chance` names what its p means."""
    transform, key = CATALOGUE[step["name"]], f"step-{step['number']}"
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{step['name']}**", width="stretch")
            first, last = place == 0, place == len(steps) - 1
            _move("arrow_upward", f"{key}-up", steps, place, place - 1, first, "Earlier")
            _move("arrow_downward", f"{key}-down", steps, place, place + 1, last, "Later")
            st.button(
                "",
                icon=":material/close:",
                key=f"{key}-remove",
                type="tertiary",
                help=f"Take {step['name']} out",
                on_click=lambda: _take_out(steps, place),
            )
        st.caption(transform.about)
        columns = st.columns(2, gap="small")
        with columns[0]:
            step["p"] = st.slider(chance, 0.0, 1.0, float(step["p"]), 0.05, key=f"{key}-p")
        for number, param in enumerate(transform.params, start=1):
            with st.container() if param.choices else columns[number % 2]:
                step["params"][param.name] = _widget(param, step["params"][param.name], key)
        if transform.holds:
            means = "Weight" if step["name"] == "OneOf" else "Probability"
            for number, member in enumerate(step["operations"]):
                _draw(step["operations"], number, member, means)
            if len(step["operations"]) < MAX_MEMBERS:
                inside = [n for n, t in CATALOGUE.items() if t.group not in ("Choice", "Mixing")]
                _add(step["operations"], f"{key}-add", inside)


def _take_out(steps: list[Step], place: int) -> None:
    del steps[place]


def _move(
    icon: str, key: str, steps: list[Step], place: int, to: int, disabled: bool, tip: str
) -> None:
    def swap() -> None:
        steps[place], steps[to] = steps[to], steps[place]

    st.button(
        "",
        icon=f":material/{icon}:",
        key=key,
        type="tertiary",
        disabled=disabled,
        help=tip,
        on_click=swap,
    )


def _add(steps: list[Step], key: str, names: list[str]) -> None:
    """The list of what can be added; choosing adds it at the end, before what has to come last."""

    def take() -> None:
        if name := st.session_state[key]:
            st.session_state[key] = None
            steps.insert(_place_for(name, steps), _step(_new(name)))

    st.selectbox(
        "Add",
        names,
        index=None,
        key=key,
        placeholder=ADD,
        format_func=lambda name: f"{CATALOGUE[name].group} · {name}",
        label_visibility="collapsed",
        on_change=take,
    )


def _place_for(name: str, steps: list[Step]) -> int:
    if CATALOGUE[name].group == "Mixing":
        return len(steps)
    return sum(CATALOGUE[step["name"]].group != "Mixing" for step in steps)


def _new(name: str) -> Step:
    transform = CATALOGUE[name]
    params = {p.name: list(v) if isinstance(v := p.default, tuple) else v for p in transform.params}
    begun = ["HorizontalFlip", "ToGray"] if transform.holds else []
    return {
        "name": name,
        "p": transform.p,
        "params": params,
        "operations": [_new(member) for member in begun],
    }


def _widget(param: Param, value: Any, key: str) -> Any:
    """The widget of one parameter; returns what it holds."""
    common: dict[str, Any] = {
        "label": param.name.replace("_", " ").capitalize(),
        "help": param.help,
        "key": f"{key}-{param.name}",
    }
    if param.choices:
        options = list(param.choices)
        return st.selectbox(options=options, index=options.index(value), **common)
    if isinstance(param.default, tuple) and len(param.default) == 3:
        picked = st.color_picker(value="#{:02x}{:02x}{:02x}".format(*value), **common)
        return [int(picked[at : at + 2], 16) for at in (1, 3, 5)]
    low, high = (int(v) if param.whole else float(v) for v in (param.low, param.high))
    now = tuple(value) if isinstance(value, list | tuple) else value
    if param.odd:
        return list(
            st.select_slider(options=range(int(low), int(high) + 1, 2), value=now, **common)
        )
    step = 1 if param.whole else (high - low) / 200
    got = st.slider(min_value=low, max_value=high, value=now, step=step, **common)
    return list(got) if isinstance(got, tuple) else got
