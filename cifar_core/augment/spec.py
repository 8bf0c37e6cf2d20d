"""`AugmentSpec`: the ordered operations that preview and training share.

Normalization is not an operation: it depends on the data, always comes last, and evaluation
needs it too.
"""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cifar_core.augment.catalog import CATALOG
from cifar_core.augment.params import Transform, Value
from cifar_core.validation import parse_json, shown

MAX_MEMBERS = 8
# Members of choices included: more than one of each in the catalog. With 64 the page has 6,000
# elements and opens in seconds; with 3,000 it had 289,000 and took minutes.
MAX_OPERATIONS = 64
# Names from other libraries and versions, and what to use instead.
REPLACEMENTS = {
    "ShiftScaleRotate": "Affine with translate_px, scale and rotate",
    "RandomCrop": "PadCrop",
    "PadIfNeeded": "PadCrop",
    "RandomHorizontalFlip": "HorizontalFlip",
    "RandomErasing": "Cutout",
    # In 2.0.8 it raises a TypeError whenever it cannot place its rectangle.
    "Erasing": "Cutout or CoarseDropout",
    "Sequential": "its transforms one by one, or PadCrop",
    "Compose": "its transforms one by one",
    "Normalize": "nothing: images are always normalized, last",
    "ToTensorV2": "nothing: images always become tensors, last",
}


class Operation(BaseModel):
    """One step of a spec: a name from the catalog, parameters and probability.

    Attributes:
        operations: Members of OneOf or SomeOf; empty for all others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    p: Annotated[float, Field(ge=0, le=1, strict=True)] = 1.0
    params: dict[str, Value] = {}
    operations: tuple["Operation", ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, raw: object) -> object:
        """Fills in defaults, so that equal operations are equal JSON and have one hash."""
        if not isinstance(raw, dict):
            return raw
        name = raw.get("name")
        if not isinstance(name, str) or name not in CATALOG:
            replacement = REPLACEMENTS.get(name) if isinstance(name, str) else None
            hint = f"give {replacement}" if replacement else f"available: {', '.join(CATALOG)}"
            raise ValueError(f"unknown operation {shown(name)}; {hint}")
        transform = CATALOG[name]
        params = raw.get("params", {})
        if not isinstance(params, dict):
            raise ValueError(f"the params of {name} are {shown(params)}, not a JSON object")
        return {"p": transform.p, **raw, "params": transform.accept(params)}

    @model_validator(mode="after")
    def _check_members(self) -> "Operation":
        members, holds = self.operations, self.transform.holds
        if not holds and members:
            raise ValueError(f"{self.name} cannot contain operations; only OneOf and SomeOf can")
        if holds and not 1 <= len(members) <= MAX_MEMBERS:
            raise ValueError(f"{self.name} has {len(members)} operations; give 1 to {MAX_MEMBERS}")
        for member in members:
            if member.transform.group in ("Choice", "Mixing"):
                raise ValueError(f"{member.name} cannot be inside {self.name}")
        if self.name == "OneOf" and not any(member.p for member in members):
            raise ValueError("all operations of OneOf have p = 0; give at least one a positive p")
        if self.name == "SomeOf" and self.whole("n") > len(members):
            raise ValueError(
                f"SomeOf cannot choose n = {self.whole('n')} of {len(members)} operations"
            )
        return self

    @model_serializer(mode="wrap")
    def _omit_empty_operations(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keeps the hash of a spec without choices independent of this field."""
        values = handler(self)
        if not self.operations:
            values.pop("operations", None)
        return values

    @property
    def transform(self) -> Transform:
        """Its entry in the catalog."""
        return CATALOG[self.name]

    def whole(self, name: str) -> int:
        """A parameter that the catalog declares as a whole number."""
        value = self.params[name]
        assert isinstance(value, int)
        return value

    def __str__(self) -> str:
        members = f"[{', '.join(map(str, self.operations))}]" if self.operations else ""
        chance = "" if self.p == 1 else f" ({self.p:.0%})"
        return f"{self.name}{members}{chance}"


class AugmentSpec(BaseModel):
    """The operations applied to a training image before normalization, in order.

    Pixel operations come first; `MixUp` and `CutMix` work on the normalized batch and so come
    last; if a spec has both, at most one of them is drawn for a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: tuple[Operation, ...] = ()

    @model_validator(mode="after")
    def _check_number(self) -> "AugmentSpec":
        number = sum(1 + len(operation.operations) for operation in self.operations)
        if number > MAX_OPERATIONS:
            raise ValueError(f"this has {number:,} operations; give at most {MAX_OPERATIONS}")
        return self

    @model_validator(mode="after")
    def _check_mixing(self) -> "AugmentSpec":
        names = [operation.name for operation in self.operations]
        first = next((i for i, op in enumerate(self.operations) if op in self.mixing), len(names))
        if any(op not in self.mixing for op in self.operations[first:]):
            raise ValueError(f"{names[first]} works on whole batches and must come last")
        if len({op.name for op in self.mixing}) < len(self.mixing):
            raise ValueError("MixUp and CutMix may each occur once")
        if sum(op.p for op in self.mixing) > 1 + 1e-9:
            raise ValueError("the probabilities of MixUp and CutMix add up to more than 1")
        return self

    @property
    def mixing(self) -> tuple[Operation, ...]:
        """The operations on whole batches: MixUp and CutMix."""
        return tuple(op for op in self.operations if op.transform.group == "Mixing")

    @property
    def pixel(self) -> tuple[Operation, ...]:
        """The operations on single images."""
        return tuple(op for op in self.operations if op.transform.group != "Mixing")

    @property
    def batched(self) -> bool:
        """Whether every operation has a kernel, so that no loader workers are needed."""
        return all(op.transform.batched for op in self.operations)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON; its first 12 digits are shown."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: defaults expanded, keys sorted, no whitespace."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "AugmentSpec":
        """Reads `to_json` or any JSON of the same shape.

        Raises:
            ConfigError: if it is not JSON or not a valid spec.
        """
        return parse_json(cls, text, "augmentation")

    def __str__(self) -> str:
        return " → ".join(map(str, self.operations)) or "none"
