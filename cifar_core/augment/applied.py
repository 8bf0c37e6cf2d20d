"""Which operations acted on an image, and with which values, in words."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar_core.augment.albumentations_calls import BUILT_OF
from cifar_core.augment.spec import AugmentSpec, Operation

if TYPE_CHECKING:
    from cifar_core.augment.draws import Draw

# Among the values that albumentations records: what is the same for every image, or no number
# that says anything to people.
_UNSAID = {
    "image_type",
    "interpolation",
    "max_height",
    "max_width",
    "order",
    "output_shape",
    "random_seed",
    "seed",
    "shape",
    "x_max",
    "x_min",
    "y_max",
    "y_min",
}


@dataclass(frozen=True)
class AppliedTransform:
    """An operation that acted.

    Attributes:
        name: By the catalogue.
        values: What chance chose, for people; empty where there is nothing to choose.
    """

    name: str
    values: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.values}".rstrip()


def from_draws(draws: "list[Draw]", image: int) -> tuple[AppliedTransform, ...]:
    """What kernels do to one image of a batch."""
    found = []
    for d in draws:
        if d.fired[image]:
            at = int(d.x[image]), int(d.y[image])
            found.append(AppliedTransform(d.operation.name, _of_kernel(d.operation, *at)))
    return tuple(found)


def _of_kernel(operation: Operation, x: int, y: int) -> str:
    if operation.name == "PadCrop":
        return _moved(operation, x, y)
    if operation.name == "Cutout":
        size = operation.whole("size")
        return f"{size}x{size} at {x},{y}"
    return ""


def from_applied(
    spec: AugmentSpec, applied: Iterable[tuple[str, dict[str, Any]]]
) -> tuple[AppliedTransform, ...]:
    """What albumentations lists as applied, in the words of the spec, whose order it keeps."""
    left, found = list(applied), []
    for operation in leaves(spec):
        built_of = BUILT_OF.get(operation.name, operation.name)
        names = [name for name, _ in left]
        if built_of in names:
            params = left[names.index(built_of)][1]
            del left[: names.index(built_of) + 1]
            found.append(AppliedTransform(operation.name, _of_library(operation, params)))
    return tuple(found)


def leaves(spec: AugmentSpec) -> list[Operation]:
    """The operations on single images, those inside a choice in its place."""
    return [leaf for op in spec.pixel for leaf in (op.operations or (op,))]


def _of_library(operation: Operation, params: dict[str, Any]) -> str:
    if operation.name == "PadCrop":
        left, top, *_ = params["crop_coords"]
        return _moved(operation, left, top)
    if "holes" in params:
        return _holes(np.asarray(params["holes"]))
    said = [_said(name, params[name]) for name in params if name not in _UNSAID]
    if "matrix" in params and operation.name in ("Affine", "Rotate"):
        matrix = np.asarray(params["matrix"])
        said = [*_motion(matrix), *(_said("scale", s) for s in [params.get("scale")] if s)]
    return ", ".join(text for text in said if text)


def _moved(operation: Operation, left: int, top: int) -> str:
    padding = operation.whole("padding")
    return f"{left - padding:+d},{top - padding:+d}"


def _holes(holes: np.ndarray) -> str:
    if len(holes) != 1:
        return f"{len(holes)} holes"
    left, top, right, bottom = (int(v) for v in holes[0])
    return f"{right - left}x{bottom - top} at {left},{top}"


def _motion(matrix: np.ndarray) -> list[str]:
    """Angle, and how the middle of the picture moves, of a (3, 3) matrix."""
    degrees = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
    x, y = (matrix @ [15.5, 15.5, 1.0])[:2] - 15.5
    return [f"{degrees:+.0f}°", f"shift {x:+.1f},{y:+.1f}"]


def _said(name: str, value: Any) -> str:
    """A recorded value, where it is a number or a few."""
    if isinstance(value, dict):
        numbers = list(value.values())
    elif isinstance(value, str) or value is None or np.size(value) > 4 or name.startswith("fill"):
        return ""
    else:
        numbers = np.asarray(value).ravel().tolist()
    text = " ".join(f"{number:.3g}" for number in numbers)
    return f"{name.replace('_', ' ')} {text}"
