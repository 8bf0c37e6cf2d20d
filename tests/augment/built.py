"""Specs, and the same pipelines built by hand with albumentations and saved by it."""

import io
import itertools
import json
from collections.abc import Iterator
from typing import Any, Literal

import cv2

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, Operation, Param
from cifar_core.augment.pipeline import library
from cifar_core.data.dataset import mean_color
from tests.made_up_data import made_up

DATA = made_up(64, 30)
MEAN = mean_color(DATA)
PIXEL = [name for name, entry in CATALOG.items() if entry.group not in ("Choice", "Mixing")]
BORDERS = {"constant": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101}
Corner = Literal["default", "low", "high"]
CORNERS: tuple[Corner, ...] = ("default", "low", "high")


def of(*operations: Operation) -> AugmentSpec:
    return AugmentSpec(operations=operations)


def choice(name: str, *names: str, **params: Any) -> Operation:
    members = tuple(Operation(name=member) for member in names)
    return Operation(name=name, p=0.7, params=params, operations=members)


SPECS = {
    **{name: of(Operation(name=name, p=0.35)) for name in PIXEL},
    **{name: spec for name, spec in PRESETS.items() if not spec.mixing},
    "crop of p 1": of(Operation(name="PadCrop", params={"padding": 3, "mode": "reflect"})),
    "black cutout": of(Operation(name="Cutout", params={"fill": "black", "size": 5})),
    "mean cutout": of(Operation(name="Cutout", params={"fill": "mean", "size": 5})),
    "green holes": of(Operation(name="CoarseDropout", params={"fill": (0, 255, 3)})),
    "former affine": of(Operation(name="Affine", params={"translate_percent": (-0.1, 0.2)})),
    "one of": of(choice("OneOf", "PadCrop", "Cutout", "Rotate"), Operation(name="ToGray")),
    "some of": of(choice("SomeOf", "HorizontalFlip", "Blur", "CLAHE", n=2)),
    "twice": of(Operation(name="Cutout"), Operation(name="Cutout", p=0.1)),
}


def at_corner(name: str, corner: Corner, p: float = 0.35) -> Operation:
    """The operation with its defaults, or with every parameter at one end of its bounds."""
    params = {} if corner == "default" else {x.name: _end(x, corner) for x in CATALOG[name].params}
    return Operation(name=name, p=p, params=params)


def _end(param: Param, corner: Corner) -> Any:
    if param.choices:
        return param.choices[0 if corner == "low" else -1]
    if isinstance(param.default, bool):
        return corner == "high"
    kind = type(param.default[0] if isinstance(param.default, tuple) else param.default)
    end: Any = kind(param.low if corner == "low" else param.high)
    if not isinstance(param.default, tuple):
        return end
    if param.apart:
        return (end, end + 1) if corner == "low" else (end - 1, end)
    return (end,) * len(param.default)


def pairs() -> Iterator[AugmentSpec]:
    """Every two operations of the catalog, at each corner; the second one always fires."""
    for one, other in itertools.combinations_with_replacement(PIXEL, 2):
        for corner in CORNERS:
            yield of(at_corner(one, corner), at_corner(other, corner, p=1))


def pipeline(spec: AugmentSpec) -> Any:
    """The pixel operations of a spec, in albumentations' own calls."""
    return library().Compose([step for op in spec.pixel for step in _steps(op)])


def _steps(op: Operation) -> list[Any]:
    A, params = library(), dict[str, Any](op.params)
    if op.name == "PadCrop":
        side, border = 32 + 2 * params["padding"], BORDERS[params["mode"]]
        steps = [A.PadIfNeeded(side, side, border_mode=border, p=1), A.RandomCrop(32, 32, p=1)]
        return steps if op.p == 1 else [A.Sequential(steps, p=op.p)]
    if op.name == "Cutout":
        side, fill = (params["size"],) * 2, MEAN if params["fill"] == "mean" else 0
        return [A.CoarseDropout((1, 1), side, side, fill=fill, p=op.p)]
    if op.name == "RandomResizedCrop":
        params["size"] = (32, 32)
    if "border_mode" in params:
        params["border_mode"] = BORDERS[params["border_mode"]]
    if op.operations:
        return [getattr(A, op.name)([_one(member) for member in op.operations], p=op.p, **params)]
    return [getattr(A, op.name)(p=op.p, **params)]


def _one(member: Operation) -> Any:
    steps = _steps(member)
    return steps[0] if len(steps) == 1 else library().Sequential(steps, p=member.p)


def saved(transform: Any, data_format: str = "json") -> str:
    """What `albumentations.save` writes."""
    file = io.StringIO()
    library().save(transform, file, data_format=data_format)
    return file.getvalue()


def file_of(*steps: dict[str, Any], **whole: Any) -> str:
    """A Compose as a file of albumentations has it, from steps given as JSON objects."""
    inside = {"__class_fullname__": "Compose", "p": 1.0, "transforms": list(steps), **whole}
    return json.dumps({"__version__": "2.0.8", "transform": inside})
