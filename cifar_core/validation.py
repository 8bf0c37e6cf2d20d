"""What a field accepts, in numbers and in words; validation errors as sentences."""

import json
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from cifar_core.errors import CifarCoreError, ConfigError

MOST_SHOWN = 100  # characters of a value in a sentence
MOST_NESTED = 50  # levels of lists and objects; no file of ours has more than ten
AnyModel = TypeVar("AnyModel", bound=BaseModel)

# `__pydantic_config__` of the dataclasses that lie on disk.
STORED = ConfigDict(allow_inf_nan=False, extra="forbid")
# Bounds that no file of ours leaves, so that arithmetic and formatting never fail.
Seconds = Annotated[float, Field(ge=0, le=1e11)]  # Unix time or a duration
Count = Annotated[int, Field(ge=0, le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=100_000)]


def parse_json(model: type[AnyModel], text: str, what: str) -> AnyModel:
    """Builds a model from JSON text; `what` names it in the error.

    Raises:
        ConfigError: if it is not JSON or does not validate.
    """
    return validated(model, json_value(text, f"The {what}"))


def json_value(text: str, what: str) -> Any:
    """The value of a JSON text that comes from outside; a byte order mark is passed over.

    Args:
        what: Names the text at the beginning of the error.

    Raises:
        ConfigError: if it is not JSON, or nested too deep to be told in a sentence.
    """
    try:
        value = json.loads(text.removeprefix("\ufeff"))
        check_nesting(value)
        return value
    except RecursionError:
        raise ConfigError(f"{what} is nested too deep. Export it again.") from None
    except ValueError as error:
        raise ConfigError(f"{what} is not valid JSON ({error}). Export it again.") from None


def check_nesting(value: object) -> None:
    """Refuses what is nested so deep that comparing or printing it may exceed Python's stack.

    Raises:
        RecursionError: as Python would.
    """
    level = [value]
    for _ in range(MOST_NESTED):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise RecursionError


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def shown(value: object) -> str:
    """A value as a sentence names it: Python's own form, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} …"


def validated(model: type[AnyModel], raw: object) -> AnyModel:
    """Builds a model from plain values.

    Raises:
        ConfigError: one sentence per error: the value, what is accepted, the next step.
    """
    try:
        return model.model_validate(raw)
    except CifarCoreError as error:
        raise ConfigError(str(error)) from None
    except ValidationError as error:
        sentences = [_sentence(model, detail) for detail in error.errors()[:5]]
        raise ConfigError(" ".join(sentences)) from None


def _sentence(model: type[BaseModel], detail: Any) -> str:
    """One sentence for one of pydantic's errors."""
    where = ".".join(str(part) for part in detail["loc"])
    value, kind, owner = detail["input"], detail["type"], _owner(model, detail["loc"])
    if kind == "extra_forbidden":
        return f"Unknown setting {where!r}. Known: {', '.join(owner.model_fields)}."
    if kind == "value_error":
        reason = detail["msg"].removeprefix("Value error, ")
        sentence = f"{where} = {shown(value)} {reason}" if where == "model" else reason
        names_field = sentence.split(" ")[0] in owner.model_fields
        return f"{sentence if names_field else sentence[0].upper() + sentence[1:]}."
    field = owner.model_fields.get(str(detail["loc"][-1])) if detail["loc"] else None
    accepted = _JSON_TYPES.get(kind) or (describe_accepted(field) if field else detail["msg"])
    return f"{where or 'The value'} = {shown(value)} is not accepted; give {accepted}."


# By pydantic's error type, where JSON of another type was expected.
_JSON_TYPES = {"model_type": "a JSON object", "tuple_type": "a JSON list"}


def _owner(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The model, nested or not, that has the field at the end of `loc`."""
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            inner = (get_args(annotation) or (annotation,))[0]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
    return model


def bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """The smallest and largest number that a field accepts; None where there is no bound."""
    low = high = None
    for rule in field.metadata:
        low = next((getattr(rule, k) for k in ("ge", "gt") if hasattr(rule, k)), low)
        high = next((getattr(rule, k) for k in ("le", "lt") if hasattr(rule, k)), high)
    return low, high


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The strings of a Literal field; empty for other fields."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def describe_accepted(field: FieldInfo) -> str:
    """What a field accepts, in words: its own (see `setting`), or those of its type and bounds."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and extra.get("accepted"):
        return str(extra["accepted"])
    if words := choices(field):
        return "one of " + ", ".join(words)
    kinds = {int: "a whole number", float: "a number", bool: "true or false"}
    kind = kinds.get(_hashable(field.annotation), "text")
    low, high = bounds(field)
    return kind if low is None or high is None else f"{kind} {_range(field, low, high)}"


def _range(field: FieldInfo, low: float, high: float) -> str:
    above = any(hasattr(rule, "gt") for rule in field.metadata)
    below = any(hasattr(rule, "lt") for rule in field.metadata)
    if not above and not below:
        return f"from {low:,.10g} to {high:,.10g}"
    start, end = "above" if above else "at least", "below" if below else "at most"
    return f"{start} {low:,.10g} and {end} {high:,.10g}"


def _hashable(annotation: Any) -> Any:
    """A union's hash depends on members that may have none."""
    return None if isinstance(annotation, UnionType) else annotation
