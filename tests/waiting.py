"""How long tests wait for other processes: until it happens, within one generous limit.

The limit ends a test that would wait for ever. It says nothing about speed: on a machine that is
busy with other work, what takes a second may take minutes. pytest's own `timeout` in pyproject.toml
is three times as long, so that the message of a wait comes first.
"""

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_S = 600.0
PAUSE_S = 0.02  # between two looks

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value | None],
    message: Callable[[], str] = str,
    limit_s: float = LIMIT_S,
) -> Value:
    """Calls `condition` until what it returns is true, and returns that.

    Raises:
        AssertionError: with the message, if that takes longer than the limit.
    """
    until = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < until, f"Nothing after {limit_s:.0f} s. {message()}"
        time.sleep(PAUSE_S)
    return value
