"""What is done, or refused in a sentence."""

from collections.abc import Callable

from cifar_core.errors import CifarCoreError

HANG_S = 5.0


def told_or_done(do: Callable[[], object]) -> bool:
    """Whether something was done, or refused in a sentence; anything else is raised."""
    try:
        do()
    except CifarCoreError as error:
        return 0 < len(str(error)) < 25_000
    return True
