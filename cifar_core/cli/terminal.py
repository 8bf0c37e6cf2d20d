"""What a terminal gets: names, notes and logs are shown; nothing in them controls it."""

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

# C0 and C1 controls but for tab and line feed, and what reverses the direction of a text.
# Sources: ECMA-48; Unicode Standard Annex 9, explicit directional formatting characters.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with its control characters written out, such as \\x1b."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class VisibleStream:
    """A text stream that writes control characters out; all else is the stream's own.

    Args:
        returns: Whether a write may begin with a carriage return, as that of a progress bar does.
    """

    def __init__(self, stream: TextIO, returns: bool = False) -> None:
        self._stream, self._returns = stream, returns

    def write(self, text: str) -> int:
        """Writes the text, visible."""
        start = "\r" if self._returns and text.startswith("\r") else ""
        self._stream.write(start + visible(text[len(start) :]))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def visible_output() -> Iterator[None]:
    """Everything printed inside the block goes through `visible`."""
    out, err = VisibleStream(sys.stdout), VisibleStream(sys.stderr, returns=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):  # pyright: ignore[reportArgumentType] # a TextIO by its attributes
        yield
