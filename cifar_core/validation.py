"""What a field of a config accepts, in numbers and in words, and mistakes as sentences."""

import json
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from cifar_core.errors import CifarCoreError, ConfigError

AnyModel = TypeVar("AnyModel", bound=BaseModel)

# `__pydantic_config__` of the dataclasses that lie on disk.
STORED = ConfigDict(allow_inf_nan=False, extra="ignore")
# Bounds that no file of ours leaves, so that arithmetic and formatting never fail.
Seconds = Annotated[float, Field(ge=0, le=1e11)]  # Unix time or a duration
Count = Annotated[int, Field(ge=0, le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=100_000)]


def parse_json(model: type[AnyModel], text: str, what: str) -> AnyModel:
    """Reads a model from JSON text; `what` names it in the error.

    Raises:
        ConfigError: if it is no JSON or does not fit.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"The {what} is not valid JSON ({error}). Export it again.") from None
    return validated(model, raw)


def validated(model: type[AnyModel], raw: object) -> AnyModel:
    """Builds a model from plain values.

    Raises:
        ConfigError: one sentence per mistake: the value, what is accepted, the next step.
    """
    try:
        return model.model_validate(raw)
    except CifarCoreError as error:
        raise ConfigError(str(error)) from None
    except ValidationError as error:
        sentences = [_explain(model, detail) for detail in error.errors()[:5]]
        raise ConfigError(" ".join(sentences)) from None


def _explain(model: type[BaseModel], detail: Any) -> str:
    """One sentence for one mistake that pydantic found."""
    where = ".".join(str(part) for part in detail["loc"])
    value, kind, owner = detail["input"], detail["type"], _owner(model, detail["loc"])
    if kind == "extra_forbidden":
        return f"Unknown setting {where!r}. Known: {', '.join(owner.model_fields)}."
    if kind == "value_error":
        reason = detail["msg"].removeprefix("Value error, ")
        shown = f"{where} = {value!r} {reason}" if where == "model" else reason
        return f"{shown[0].upper()}{shown[1:]}."
    field = owner.model_fields.get(str(detail["loc"][-1])) if detail["loc"] else None
    accepted = _SHAPES.get(kind) or (describe_accepted(field) if field else detail["msg"])
    return f"{where or 'The value'} = {value!r} is not accepted; give {accepted}."


# Pydantic's names of mistakes in the shape of JSON.
_SHAPES = {"model_type": "a table of names and values", "tuple_type": "a list"}


def _owner(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The model, perhaps nested, that has the field at the end of `loc`."""
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
    """The words a field accepts; empty where it takes anything else."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def describe_accepted(field: FieldInfo) -> str:
    """What a field accepts, in words."""
    if words := choices(field):
        return "one of " + ", ".join(words)
    for rule in field.metadata:
        if pattern := getattr(rule, "pattern", None):
            return "auto, cpu, cuda or cuda:N" if "cuda" in pattern else f"text like {pattern}"
    kind = {int: "a whole number", float: "a number", bool: "true or false"}.get(
        _plain_type(field.annotation), "text"
    )
    low, high = bounds(field)
    if low is None or high is None:
        return kind
    more = any(hasattr(rule, "gt") for rule in field.metadata)
    less = any(hasattr(rule, "lt") for rule in field.metadata)
    start, end = (f"{end:.10g}" for end in (low, high))
    return f"{kind} {'above' if more else 'from'} {start} {'to below' if less else 'to'} {end}"


def _plain_type(annotation: Any) -> Any:
    return None if isinstance(annotation, UnionType) else annotation
