"""The steps of a pipeline that albumentations saved, checked: a name, a probability, arguments."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cifar_core.augment.catalog import CATALOG
from cifar_core.augment.spec import REPLACEMENTS
from cifar_core.errors import ConfigError
from cifar_core.validation import shown

Table = dict[str, Any]  # a JSON object
CHOICES = ("OneOf", "SomeOf")
CONTAINERS = (*CHOICES, "Sequential", "Compose")


@dataclass(frozen=True)
class Step:
    """A transform of a saved pipeline; `members` are those of a container."""

    name: str
    p: float
    params: Table
    members: tuple["Step", ...] = ()


def steps_of(pipeline: Table) -> list[Step]:
    """The transforms of a saved Compose, in order, without groups that are always applied.

    Raises:
        ConfigError: if the file is not one that albumentations can have saved.
    """
    p = pipeline.get("p", 1)
    if p != 1:
        raise ConfigError(f"This Compose has p = {shown(p)}; only p = 1 is accepted.")
    return [one for raw in _tables(pipeline.get("transforms")) for one in _ungrouped(step_of(raw))]


def _tables(raw: object) -> list[Table]:
    if not isinstance(raw, list) or not all(isinstance(step, dict) for step in raw):
        raise ConfigError(
            f"transforms = {shown(raw)} is not accepted; give a list of JSON objects."
        )
    return raw


def step_of(raw: Table) -> Step:
    """A saved transform and its members.

    Raises:
        ConfigError: as `steps_of`.
    """
    params = {k: v for k, v in raw.items() if k not in ("__class_fullname__", "p", "transforms")}
    full_name = raw.get("__class_fullname__")
    name = full_name.rsplit(".", 1)[-1][:60] if isinstance(full_name, str) else ""
    if not name:
        raise not_supported("A transform without a name")
    if "transforms" in raw and name not in CONTAINERS:
        raise ConfigError(f"{name} cannot contain transforms; only {', '.join(CONTAINERS)} can.")
    _check_finite(name, params)
    members = _tables(raw.get("transforms", [])) if name in CONTAINERS else []
    return Step(name, _probability(name, raw), params, tuple(step_of(member) for member in members))


def _check_finite(name: str, params: Table) -> None:
    """Refuses what JSON has no word for: to albumentations, NaN is between any two numbers."""
    for key, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise ConfigError(
                f"{name} with {key} = {shown(value)} is not supported; give finite numbers."
            ) from None


def _probability(name: str, raw: Table) -> float:
    if "p" not in raw:
        raise ConfigError(f"{name} has no p. Give its probability, 0 to 1.")
    p = raw["p"]
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ConfigError(f"{name} has p = {shown(p)}; give a probability, 0 to 1.")
    return p


def _ungrouped(step: Step) -> Iterator[Step]:
    """The step; a group that is always applied as its members."""
    if step.name in ("Sequential", "Compose") and step.p == 1:
        for member in step.members:
            yield from _ungrouped(member)
    else:
        yield step


def leaves(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, with each container replaced by its members."""
    for step in steps:
        if step.members:
            yield from leaves(step.members)
        else:
            yield step


def not_supported(name: str) -> ConfigError:
    """The error for a transform that no spec can have."""
    hint = REPLACEMENTS.get(name) or f"one of {', '.join(CATALOG)}"
    return ConfigError(f"{name} is not supported. Give {hint}.")
