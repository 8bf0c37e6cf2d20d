"""A spec as albumentations calls: plain values, to be built or exported."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cifar_core.augment.spec import AugmentSpec, Operation

Color = tuple[int, int, int]
BORDERS = {"constant": 0, "reflect": 4}  # cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101
# Our operations by the class name under which albumentations reports them as applied.
LIBRARY_NAMES = {"PadCrop": "RandomCrop", "Cutout": "CoarseDropout"}


@dataclass(frozen=True)
class Call:
    """One call of albumentations.

    Attributes:
        name: Class name in albumentations.
        params: Keyword arguments, including the probability.
        members: First argument of a container such as OneOf.
    """

    name: str
    params: dict[str, Any]
    members: tuple["Call", ...] = ()


def calls_of(spec: AugmentSpec, mean: Color) -> list[Call]:
    """The calls for the pixel operations, in order.

    Args:
        mean: Mean color of the data, 0..255, for a cutout with fill "mean".
    """
    return [call for operation in spec.pixel for call in _calls(operation, mean)]


def _calls(operation: Operation, mean: Color) -> list[Call]:
    return _CONVERTERS.get(operation.name, _same_name_call)(operation, mean)


def _same_name_call(operation: Operation, mean: Color) -> list[Call]:
    params: dict[str, Any] = {**operation.params, "p": operation.p}
    if operation.name == "RandomResizedCrop":
        params = {"size": (32, 32), **params}
    return [Call(operation.name, params)]


def _pad_crop(operation: Operation, mean: Color) -> list[Call]:
    side = 32 + 2 * operation.whole("padding")
    border = BORDERS[str(operation.params["mode"])]
    pad = {"min_height": side, "min_width": side, "border_mode": border, "fill": 0, "p": 1.0}
    crop = {"height": 32, "width": 32, "p": 1.0}
    steps = (Call("PadIfNeeded", pad), Call("RandomCrop", crop))
    return list(steps) if operation.p == 1 else [Call("Sequential", {"p": operation.p}, steps)]


def _cutout(operation: Operation, mean: Color) -> list[Call]:
    side = (operation.whole("size"), operation.whole("size"))
    params = {
        "num_holes_range": (1, 1),
        "hole_height_range": side,
        "hole_width_range": side,
        "fill": mean if operation.params["fill"] == "mean" else 0,
        "p": operation.p,
    }
    return [Call("CoarseDropout", params)]


def _affine(operation: Operation, mean: Color) -> list[Call]:
    params: dict[str, Any] = {**operation.params, "p": operation.p}
    if "border_mode" in params:
        params["border_mode"] = BORDERS[str(params["border_mode"])]
    return [Call(operation.name, params)]


def _choice(operation: Operation, mean: Color) -> list[Call]:
    members = tuple(_single_call(member, mean) for member in operation.operations)
    return [Call(operation.name, {**operation.params, "p": operation.p}, members)]


def _single_call(operation: Operation, mean: Color) -> Call:
    """A member of a choice as one call, so that its probability covers all its steps."""
    calls = _calls(operation, mean)
    return calls[0] if len(calls) == 1 else Call("Sequential", {"p": operation.p}, tuple(calls))


_CONVERTERS: dict[str, Callable[[Operation, Color], list[Call]]] = {
    "PadCrop": _pad_crop,
    "Cutout": _cutout,
    "Affine": _affine,
    "OneOf": _choice,
    "SomeOf": _choice,
}
