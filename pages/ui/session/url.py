"""Widgets whose value is stored in the URL, so that a copied link opens the same view.

The URL is the only source of truth. Most widgets have their value in their key, so that another
URL makes a new widget instead of being overruled by the state of the old one. Toggles and sliders,
which are used repeatedly, keep their key and are set to the value in the URL.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import streamlit as st

from cifar_core.errors import ConfigError
from pages.ui.session import messages

ON = "on"


def take(name: str, key: str, forget: Sequence[str] = ()) -> None:
    """For `on_change`: writes a widget's value to the URL; dependent parameters are removed."""
    value = st.session_state.get(key)
    for other in forget:
        st.query_params.pop(other, None)
    if value is None or value == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def go(page: str, *, forget: Sequence[str] = (), **changes: str) -> NoReturn:
    """Opens another page with this page's parameters and the new ones.

    Args:
        forget: Parameters that are dropped.

    Streamlit 1.67 first adds the new parameters under the old path to the browser's history; with
    the old parameters among them, Back returns to the previous view.
    """
    current = {k: v for k, v in st.query_params.to_dict().items() if k not in forget}
    st.switch_page(page, query_params={**current, **changes})


FILTERS = ("selection", "sure", "page", "sort", "true", "predicted", "show")


def to_gallery(**changes: str) -> NoReturn:
    """Opens the gallery with these filters only; Back may have left others in the URL."""
    go("pages/gallery.py", forget=FILTERS, **changes)


def _value_in_url(
    name: str, options: Sequence[str], default: str, shown: Callable[[str], str] = str
) -> str:
    """The value in the URL; an unknown one is reported and replaced by the default."""
    value = st.query_params.get(name, default)
    if value in options:
        return value
    _report_unknown(name, value, shown(default))
    return default


def _report_unknown(name: str, value: str, fallback: str) -> None:
    """Warns about an unknown value and removes it from the URL."""
    st.query_params.pop(name, None)
    text = f"There is no {name} {value[:80]!r} here. Showing {fallback} instead."
    messages.warning(text, icon=":material/link_off:")


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
    """Draws a select box; returns the value in the URL.

    Args:
        shown: The label of an option.
        forget: Parameters to remove when the choice changes.
        beside: Draws a segmented control instead.
    """
    now = _value_in_url(name, options, default, shown)
    # The browser identifies an option by its label: another label needs another widget.
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
    """Whether a toggle is on in the URL."""
    return st.query_params.get(name) == ON


def switch(label: str, name: str, help: str | None = None) -> bool:
    """Draws a toggle; returns the value in the URL."""
    now, key = is_on(name), f"url-{name}"

    def take_toggle() -> None:
        if st.session_state[key]:
            st.query_params[name] = ON
        else:
            st.query_params.pop(name, None)

    _sync(key, now)
    st.toggle(label, key=key, on_change=take_toggle, help=help)
    return now


def _sync(key: str, now: object) -> None:
    """Sets a widget that keeps its key, and with it the keyboard focus, to the value in the URL."""
    if st.session_state.get(key) != now:
        st.session_state[key] = now


def whole(label: str, name: str, options: Sequence[int], default: int, help: str = "") -> int:
    """Draws a slider over ascending integers; returns the value in the URL."""
    text = st.query_params.get(name, str(default))
    value = number(text)
    now = value if value is not None and value in options else default
    if now != value:
        _report_unknown(name, text, str(default))
    if len(options) > 1:
        key = f"url-{name}-{len(options)}"
        _sync(key, now)
        st.select_slider(
            label, options, key=key, on_change=take, args=(name, key), help=help or None
        )
    return now


def span(label: str, name: str, help: str, forget: Sequence[str] = ()) -> tuple[int, int]:
    """Draws a slider for a percentage range; returns the range in the URL, such as 20-80."""
    low, _, high = st.query_params.get(name, "0-100").partition("-")
    ends = [end for end in map(number, (low, high)) if end is not None]
    if len(ends) != 2 or not ends[0] <= ends[1] <= 100:
        text = f"{name} in the URL is not a range such as 20-80. Showing 0-100 instead."
        messages.warning(text, icon=":material/link_off:")
        ends = [0, 100]
    key = f"url-{name}-{ends[0]}-{ends[1]}"

    def take_span() -> None:
        first, last = st.session_state[key]
        for other in forget:
            st.query_params.pop(other, None)
        st.query_params[name] = f"{first}-{last}"

    st.slider(
        label, 0, 100, (ends[0], ends[1]), format="%d%%", key=key, on_change=take_span, help=help
    )
    return ends[0], ends[1]


def number(text: str) -> int | None:
    """A non-negative integer of at most nine digits; None for any other text."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def page_of(num_pages: int) -> int:
    """The page in the URL, from 1, clipped to the valid range."""
    return min(max(number(st.query_params.get("page", "1")) or 1, 1), num_pages)


def page_buttons(num_pages: int, page: int) -> None:
    """Draws the page buttons if there is more than one page."""
    if num_pages > 1:
        key = f"url-page-{page}-{num_pages}"
        st.pagination(num_pages, default=page, key=key, on_change=take, args=("page", key))


def numbers(name: str, text: str) -> list[int]:
    """Comma-separated integers without duplicates.

    Raises:
        ConfigError: if the text is anything else.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    indices = [number(word) for word in words]
    if not indices or None in indices:
        raise ConfigError(f"{name} = {text[:80]!r} is not accepted; enter indices such as 12, 407.")
    return [index for index in dict.fromkeys(indices) if index is not None]
