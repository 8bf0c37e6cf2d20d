"""Choices that live in the URL, so that a copied address opens the same view.

The URL alone is believed. Most widgets' keys hold the value they were drawn for: another address
draws another widget instead of being overruled by the old one's state. Switches and sliders, which
people press again and again, keep their key and are put to what the URL holds.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import streamlit as st

from cifar_core.errors import ConfigError

ON = "on"


def take(name: str, key: str, forget: Sequence[str] = ()) -> None:
    """For `on_change`: puts a widget's value into the URL; what depended on the old one goes."""
    value = st.session_state.get(key)
    for other in forget:
        st.query_params.pop(other, None)
    if value is None or value == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def go(page: str, *, forget: Sequence[str] = (), **changes: str) -> NoReturn:
    """Goes to another page, this page's parameters kept beside the new ones.

    Args:
        forget: Parameters that are not kept.

    Streamlit 1.67 first puts the new parameters under the old path, as an entry of the browser's
    history; with the old ones among them, Back shows the view that was left.
    """
    kept = {k: v for k, v in st.query_params.to_dict().items() if k not in forget}
    st.switch_page(page, query_params={**kept, **changes})


FILTERS = ("selection", "sure", "page", "sort", "true", "predicted", "show")


def to_gallery(**changes: str) -> NoReturn:
    """Opens the gallery with these filters and no others, which Back may have brought along."""
    go("pages/gallery.py", forget=FILTERS, **changes)


def asked(
    name: str, options: Sequence[str], default: str, shown: Callable[[str], str] = str
) -> str:
    """The value in the URL; one that does not exist is named and the default taken."""
    value = st.query_params.get(name, default)
    if value in options:
        return value
    _leave_out(name, value, shown(default))
    return default


def _leave_out(name: str, value: str, instead: str) -> None:
    """Says that something in the URL is not there, and takes it out."""
    st.query_params.pop(name, None)
    text = f"There is no {name} {value[:80]!r} here. Shown: {instead}."
    st.warning(text, icon=":material/link_off:")


def select(
    label: str,
    name: str,
    options: Sequence[str],
    default: str,
    *,
    shown: Callable[[str], str] = str,
    forget: Sequence[str] = (),
    help: str | None = None,
    beside: bool = False,
) -> str:
    """Lets people choose one; returns what the URL holds.

    Args:
        forget: Parameters that make no sense any more with another choice.
        beside: All options side by side instead of in a list.
    """
    now = asked(name, options, default, shown)
    # The browser holds what an option was called: under another name it is another widget.
    key = f"url-{name}-{now}-{shown(now)}-{len(options)}"
    common: dict[str, Any] = {
        "format_func": shown,
        "key": key,
        "on_change": take,
        "args": (name, key, forget),
        "help": help,
    }
    if beside:
        st.segmented_control(label, options, default=now, required=True, **common)
    else:
        st.selectbox(label, options, index=list(options).index(now), **common)
    return now


def is_on(name: str) -> bool:
    """Whether a switch is on in the URL."""
    return st.query_params.get(name) == ON


def switch(label: str, name: str, help: str | None = None) -> bool:
    """Lets people switch something on; returns what the URL holds."""
    now, key = is_on(name), f"url-{name}"

    def take_switch() -> None:
        if st.session_state[key]:
            st.query_params[name] = ON
        else:
            st.query_params.pop(name, None)

    _follow(key, now)
    st.toggle(label, key=key, on_change=take_switch, help=help)
    return now


def _follow(key: str, now: object) -> None:
    """Puts a widget that keeps its key, and so the keyboard's focus, to what the URL holds."""
    if st.session_state.get(key) != now:
        st.session_state[key] = now


def whole(label: str, name: str, options: Sequence[int], default: int, help: str = "") -> int:
    """Lets people slide along ascending whole numbers; returns what the URL holds."""
    text = st.query_params.get(name, str(default))
    asked = number(text)
    now = asked if asked is not None and asked in options else default
    if now != asked:
        _leave_out(name, text, str(default))
    if len(options) > 1:
        key = f"url-{name}-{len(options)}"
        _follow(key, now)
        st.select_slider(
            label, options, key=key, on_change=take, args=(name, key), help=help or None
        )
    return now


def span(label: str, name: str, help: str, forget: Sequence[str] = ()) -> tuple[int, int]:
    """Lets people choose a range of per cents; returns what the URL holds, such as 20-80."""
    low, _, high = st.query_params.get(name, "0-100").partition("-")
    ends = [int(end) for end in (low, high) if end.isdecimal()]
    if len(ends) != 2 or not 0 <= ends[0] <= ends[1] <= 100:
        st.warning(f"{name} in the address is no range such as 20-80.", icon=":material/link_off:")
        ends = [0, 100]
    key = f"url-{name}-{ends[0]}-{ends[1]}"

    def take_span() -> None:
        first, last = st.session_state[key]
        for other in forget:
            st.query_params.pop(other, None)
        st.query_params[name] = f"{first}-{last}"

    st.slider(
        label, 0, 100, (ends[0], ends[1]), format="%d %%", key=key, on_change=take_span, help=help
    )
    return ends[0], ends[1]


def number(text: str) -> int | None:
    """A whole number of at most nine digits, as indices and pages are; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def page_of(num_pages: int) -> int:
    """The page in the URL, from 1; the nearest there is."""
    return min(max(number(st.query_params.get("page", "1")) or 1, 1), num_pages)


def page_buttons(num_pages: int, page: int) -> None:
    """Buttons to turn pages; none for a single one."""
    if num_pages > 1:
        key = f"url-page-{page}-{num_pages}"
        st.pagination(num_pages, default=page, key=key, on_change=take, args=("page", key))


def numbers(name: str, text: str) -> list[int]:
    """Whole numbers with commas between, each once.

    Raises:
        ConfigError: if it is something else.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    found = [number(word) for word in words]
    if not found or None in found:
        raise ConfigError(f"{name} = {text[:80]!r} is not accepted; give indices such as 12, 407.")
    return [one for one in dict.fromkeys(found) if one is not None]
