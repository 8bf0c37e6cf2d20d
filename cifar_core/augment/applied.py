"""Which operations were applied to an image, and with which values, as text."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar_core.augment.albumentations_calls import LIBRARY_NAMES
from cifar_core.augment.spec import AugmentSpec, Operation

if TYPE_CHECKING:
    from cifar_core.augment.draws import Draw

# Values recorded by albumentations that are the same for every image or mean little to people.
_OMITTED = {
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
    """An operation that was applied.

    Attributes:
        name: As in the catalog.
        values: The drawn values as text; empty where nothing is drawn.
    """

    name: str
    values: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.values}".rstrip()


def from_draws(draws: "list[Draw]", image: int) -> tuple[AppliedTransform, ...]:
    """What the kernels apply to one image of a batch."""
    transforms = []
    for d in draws:
        if d.applied[image]:
            values = _kernel_values(d.operation, int(d.x[image]), int(d.y[image]))
            transforms.append(AppliedTransform(d.operation.name, values))
    return tuple(transforms)


def _kernel_values(operation: Operation, x: int, y: int) -> str:
    if operation.name == "PadCrop":
        return _offset_text(operation, x, y)
    if operation.name == "Cutout":
        size = operation.whole("size")
        return f"{size}x{size} at {x},{y}"
    return ""


def from_applied(
    spec: AugmentSpec, applied: Iterable[tuple[str, dict[str, Any]]]
) -> tuple[AppliedTransform, ...]:
    """What albumentations reports as applied, by the names of the spec and in its order."""
    remaining, transforms = list(applied), []
    for operation in leaves(spec):
        library_name = LIBRARY_NAMES.get(operation.name, operation.name)
        names = [name for name, _ in remaining]
        if library_name in names:
            params = remaining[names.index(library_name)][1]
            del remaining[: names.index(library_name) + 1]
            values = _library_values(operation, params)
            transforms.append(AppliedTransform(operation.name, values))
    return tuple(transforms)


def leaves(spec: AugmentSpec) -> list[Operation]:
    """The pixel operations, with each choice replaced by its members."""
    return [leaf for op in spec.pixel for leaf in (op.operations or (op,))]


def _library_values(operation: Operation, params: dict[str, Any]) -> str:
    if operation.name == "PadCrop":
        left, top, *_ = params["crop_coords"]
        return _offset_text(operation, left, top)
    if "holes" in params:
        return _holes_text(np.asarray(params["holes"]))
    texts = [_value_text(name, params[name]) for name in params if name not in _OMITTED]
    if "matrix" in params and operation.name in ("Affine", "Rotate"):
        matrix = np.asarray(params["matrix"])
        scale = params.get("scale")
        texts = [*_affine_texts(matrix), _value_text("scale", scale) if scale else ""]
    return ", ".join(text for text in texts if text)


def _offset_text(operation: Operation, left: int, top: int) -> str:
    padding = operation.whole("padding")
    return f"{left - padding:+d},{top - padding:+d}"


def _holes_text(holes: np.ndarray) -> str:
    if len(holes) != 1:
        return f"{len(holes)} holes"
    left, top, right, bottom = (int(v) for v in holes[0])
    return f"{right - left}x{bottom - top} at {left},{top}"


def _affine_texts(matrix: np.ndarray) -> list[str]:
    """Rotation, and shift of the image center, of a (3, 3) matrix."""
    degrees = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
    x, y = (matrix @ [15.5, 15.5, 1.0])[:2] - 15.5
    return [f"{degrees:+.0f}°", f"shift {x:+.1f},{y:+.1f}"]


def _value_text(name: str, value: Any) -> str:
    """A recorded value as text if it is one to four numbers, else empty."""
    if isinstance(value, dict):
        numbers = list(value.values())
    elif isinstance(value, str) or value is None or np.size(value) > 4 or name.startswith("fill"):
        return ""
    else:
        numbers = np.asarray(value).ravel().tolist()
    text = " ".join(f"{number:.3g}" for number in numbers)
    return f"{name.replace('_', ' ')} {text}"
