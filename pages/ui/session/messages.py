"""People's own text on a page: shown as it is, never read as Markdown; errors, warnings, notes."""

import re

import streamlit as st

# What begins something in Streamlit's Markdown: CommonMark, GFM, math.
_ACTIVE = re.compile(
    r"""
    [\\`*\[\]<>$~&]          # code, emphasis, links, HTML, math, strikethrough, entities
    | (?<![^\W_])_ | _(?![^\W_])  # emphasis; between letters an underscore is one
    | ^(?=[#=+-]) | ^\d+(?=[.)])  # headings, lists
    """,
    re.VERBOSE,
)
# These are looked for in the text that is left, escaped or not: addresses, which become links;
# `:emoji:`, `:material/icon:` and `:color[…]`. Something nobody sees between them keeps them text.
_FOUND_LATER = re.compile(
    r"(?i)(?<=:/)(?=/)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=:)(?=[\w+/-]+[:\[\\])"
)
_ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"


def plain(text: object) -> str:
    """A text for Markdown that shows exactly these characters, on one line.

    Source: CommonMark 0.31, backslash escapes; Streamlit's documentation of `st.markdown`.
    """
    line = " ".join(str(text).split())
    return _FOUND_LATER.sub(_ZERO_WIDTH, _ACTIVE.sub(lambda found: _escaped(found[0]), line))


def _escaped(found: str) -> str:
    """The character, escaped; a number before its full stop stays, the stop is escaped."""
    return f"{found}\N{WORD JOINER}" if found[:1].isdigit() else f"\\{found}"


def error(text: object) -> None:
    """Shows what went wrong, as plain text."""
    st.error(plain(text), icon=":material/error:")


def warning(text: object, icon: str = ":material/warning:") -> None:
    """Shows a warning, as plain text."""
    st.warning(plain(text), icon=icon)


def info(text: object, icon: str = ":material/info:") -> None:
    """Shows a note, as plain text."""
    st.info(plain(text), icon=icon)
