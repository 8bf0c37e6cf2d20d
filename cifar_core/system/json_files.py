"""JSON files as frozen dataclasses: whatever lies there, it fits its type or is refused.

A type is a `dataclass(frozen=True)` with `__pydantic_config__ = STORED` of `validation`; pydantic
checks it strictly ("1" is no number, true is not 1), so that whoever reads it can rely on it.
"""

import functools
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cifar_core.errors import CifarCoreError, RunError
from cifar_core.system.files import NotRegularError, read_regular, write_atomic

AnyType = TypeVar("AnyType")
MAX_BYTES = 4_000_000  # the largest of ours, a manifest, has a few thousand


def read_typed(
    path: Path,
    kind: type[AnyType],
    error: type[CifarCoreError] = RunError,
    next_step: str = "Restore it from a copy, or delete the folder.",
) -> AnyType | None:
    """What a file holds; None if there is none.

    Args:
        kind: A dataclass, or a union of dataclasses told apart by a field.
        error: What to raise; `next_step` ends its sentence.

    Raises:
        CifarCoreError: `error`, if it is no regular file, too large, no JSON, or does not fit.
    """
    try:
        content = read_regular(path, MAX_BYTES)
        return None if content is None else _adapter(kind).validate_json(content, strict=True)
    except ValidationError as mistakes:
        reason = _first(mistakes)
    except NotRegularError as mistake:
        raise error(str(mistake)) from None
    except OSError as mistake:  # its own text names the folder on the server
        reason = f"it cannot be read ({mistake.strerror})"
    except (ValueError, CifarCoreError) as mistake:
        reason = str(mistake)
    raise error(f"{path.parent.name}/{path.name} is damaged: {reason}. {next_step}")


def write_typed(path: Path, value: Any) -> None:
    """Writes a dataclass so that `read_typed` gives an equal one; whole or not at all."""
    write_atomic(path, _adapter(type(value)).dump_json(value, indent=1) + b"\n")


def parse_typed(content: bytes, kind: type[AnyType]) -> AnyType:
    """A dataclass from JSON.

    Raises:
        ValueError: if it does not fit.
    """
    return _adapter(kind).validate_json(content, strict=True)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _first(mistakes: ValidationError) -> str:
    """The first mistake; never the value itself, which may have any length."""
    detail = mistakes.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in detail["loc"] if isinstance(part, str | int))
    message = f"{detail['msg'][:1].lower()}{detail['msg'][1:200]}"
    return f"{where[:80]}: {message}" if where else message
