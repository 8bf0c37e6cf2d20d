"""People's own text for Markdown; a browser shows it in tests/e2e/test_untrusted_text.py."""

import re

import pytest

from cifar_core.system.paths import repository
from pages.ui.session.messages import plain

PAGES = repository() / "pages"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("batch_size = 12 is not accepted.", "batch_size = 12 is not accepted."),
        ("a*b", r"a\*b"),
        ("_a_ __b__", r"\_a\_ \_\_b\_\_"),
        ("[a](b)", r"\[a\](b)"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        ("`c` $x$ ~y~ \\", r"\`c\` \$x\$ \~y\~ \\"),
        ("# a", r"\# a"),
        ("a # b", "a # b"),
        ("- a - b", r"\- a - b"),
        ("  a\n\n# b\t", "a # b"),
    ],
)
def test_what_markdown_would_read_is_escaped(text: str, escaped: str) -> None:
    assert plain(text) == escaped


@pytest.mark.parametrize("text", ["http://a.b", "www.a.b", "a@b.c", ":smile:", ":red[a]", "1. a"])
def test_what_is_looked_for_later_is_parted_by_something_nobody_sees(text: str) -> None:
    assert plain(text) != text
    assert re.sub("[\u200b\u2060\\\\]", "", plain(text)) == text


def test_errors_warnings_and_notes_are_shown_in_one_place_only() -> None:
    calls = re.compile(r"\bst\.(error|warning|info|success|exception)\(")
    users = {file.name for file in PAGES.rglob("*.py") if calls.search(file.read_text("utf-8"))}
    assert users == {"messages.py"}
