"""The operations an `AugmentSpec` may hold, each with the bounds that make sense at 32x32.

Names and parameters are albumentations' own, so that a spec reads like a pipeline; `PadCrop`,
`Cutout`, `MixUp` and `CutMix` are ours. It describes; it neither builds nor runs anything.
"""

from dataclasses import dataclass
from typing import Literal

Value = int | float | str | tuple[float, float] | tuple[int, int]
Group = Literal["Geometry", "Dropout", "Colour", "Blur and noise", "Mixing"]


@dataclass(frozen=True)
class Param:
    """One parameter of an operation: its default fixes the type, a pair means a range.

    Attributes:
        low: Smallest accepted value, of both ends for a range.
        high: Largest accepted value, likewise.
    """

    name: str
    default: Value
    help: str
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()

    def accept(self, value: object) -> Value:
        """Returns `value` in the parameter's own type.

        Raises:
            ValueError: if it is of another kind or out of bounds; the text names both.
        """
        if self.choices:
            if value not in self.choices:
                raise ValueError(f"{self.name} = {value!r} is not one of {', '.join(self.choices)}")
            return str(value)
        if isinstance(self.default, tuple):
            return self._accept_range(value)
        return self._accept_number(value, type(self.default))

    def _accept_range(self, value: object) -> tuple[float, float] | tuple[int, int]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(f"{self.name} = {value!r} is not a range such as {self.default}")
        assert isinstance(self.default, tuple)
        kind = type(self.default[0])
        low, high = (self._accept_number(end, kind) for end in value)
        if low > high:
            raise ValueError(f"{self.name} = {value!r} ends before it begins")
        return (low, high)

    def _accept_number(self, value: object, kind: type) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name} = {value!r} is not a number")
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name} = {value} is outside {self.low:g} to {self.high:g}")
        if kind is int and value != int(value):
            raise ValueError(f"{self.name} = {value!r} is not a whole number")
        return int(value) if kind is int else float(value)


@dataclass(frozen=True)
class Transform:
    """An operation of the catalogue.

    Attributes:
        batched: There is a kernel for it, so that it can run on whole batches on the device.
        p: Probability that a new operation of this kind starts with.
    """

    name: str
    group: Group
    about: str
    params: tuple[Param, ...] = ()
    batched: bool = False
    p: float = 0.5

    def accept(self, params: dict[str, object]) -> dict[str, Value]:
        """Returns all parameters, in order, defaults filled in.

        Raises:
            ValueError: on an unknown name or an unacceptable value.
        """
        names = [param.name for param in self.params]
        for name in params:
            if name not in names:
                accepted = ", ".join(names) or "none"
                raise ValueError(f"{self.name} has no parameter {name!r}; it has: {accepted}")
        return {p.name: p.accept(params.get(p.name, p.default)) for p in self.params}


_ALPHA = Param(
    "alpha", 0.2, "Beta(alpha, alpha) gives the share; small: mostly one image.", 0.05, 4
)

_ALL = (
    Transform(
        "PadCrop",
        "Geometry",
        "Pad on all sides, then cut a random 32x32 window.",
        (
            Param("padding", 4, "Pixels added on each side.", 1, 8),
            Param(
                "mode", "constant", "Black border, or mirrored.", choices=("constant", "reflect")
            ),
        ),
        batched=True,
        p=1.0,
    ),
    Transform("HorizontalFlip", "Geometry", "Mirror left and right.", batched=True),
    Transform("VerticalFlip", "Geometry", "Upside down; few classes survive this unharmed."),
    Transform(
        "Affine",
        "Geometry",
        "Shift, scale and rotate in one step.",
        (
            Param("translate_percent", (-0.0625, 0.0625), "Shift, share of the side.", -0.5, 0.5),
            Param("scale", (0.9, 1.1), "Zoom factor.", 0.5, 2.0),
            Param("rotate", (-15.0, 15.0), "Degrees.", -180, 180),
        ),
    ),
    Transform(
        "RandomResizedCrop",
        "Geometry",
        "Cut a random part and stretch it back to 32x32.",
        (
            Param("scale", (0.6, 1.0), "Share of the area that is kept.", 0.05, 1.0),
            Param("ratio", (0.75, 1.3333), "Width over height of the part.", 0.25, 4.0),
        ),
        p=1.0,
    ),
    Transform(
        "Perspective",
        "Geometry",
        "Tilt the picture plane.",
        (Param("scale", (0.05, 0.1), "How far the corners move, share of the side.", 0.0, 0.4),),
    ),
    Transform(
        "GridDistortion",
        "Geometry",
        "Bend the picture along a coarse grid.",
        (
            Param("num_steps", 4, "Grid cells per side.", 2, 8),
            Param("distort_limit", (-0.3, 0.3), "How far a cell is bent.", -0.9, 0.9),
        ),
    ),
    Transform(
        "Cutout",
        "Dropout",
        "Cover one square, always fully inside the picture.",
        (
            Param("size", 16, "Side of the square in pixels.", 2, 24),
            Param("fill", "mean", "The data's mean colour, or black.", choices=("mean", "black")),
        ),
        batched=True,
    ),
    Transform(
        "CoarseDropout",
        "Dropout",
        "Cover several rectangles with black.",
        (
            Param("num_holes_range", (1, 4), "How many.", 1, 16),
            Param("hole_height_range", (4, 8), "Height in pixels.", 1, 24),
            Param("hole_width_range", (4, 8), "Width in pixels.", 1, 24),
        ),
    ),
    Transform(
        "ColorJitter",
        "Colour",
        "Change brightness, contrast, saturation and hue in random order.",
        (
            Param("brightness", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("contrast", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("saturation", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("hue", (-0.05, 0.05), "Turn of the colour wheel, in turns.", -0.5, 0.5),
        ),
    ),
    Transform(
        "RandomBrightnessContrast",
        "Colour",
        "Lighter or darker, harder or softer.",
        (
            Param("brightness_limit", (-0.2, 0.2), "Added, share of full white.", -1, 1),
            Param("contrast_limit", (-0.2, 0.2), "Added to the factor 1.", -1, 1),
        ),
    ),
    Transform(
        "HueSaturationValue",
        "Colour",
        "Shift hue, saturation and value.",
        (
            Param("hue_shift_limit", (-10.0, 10.0), "Of 180.", -90, 90),
            Param("sat_shift_limit", (-20.0, 20.0), "Of 255.", -255, 255),
            Param("val_shift_limit", (-20.0, 20.0), "Of 255.", -255, 255),
        ),
    ),
    Transform(
        "RandomGamma",
        "Colour",
        "Bend the tone curve.",
        (Param("gamma_limit", (80.0, 120.0), "Per cent; 100 changes nothing.", 20, 400),),
    ),
    Transform("ToGray", "Colour", "Take the colour away.", p=0.1),
    Transform(
        "Posterize",
        "Colour",
        "Keep only the upper bits of each channel.",
        (Param("num_bits", (4, 6), "Bits kept.", 1, 7),),
        p=0.2,
    ),
    Transform(
        "Sharpen",
        "Blur and noise",
        "Crisper edges.",
        (Param("alpha", (0.2, 0.5), "Share of the sharpened picture.", 0.0, 1.0),),
        p=0.2,
    ),
    Transform(
        "GaussianBlur",
        "Blur and noise",
        "Soften.",
        (Param("sigma_limit", (0.2, 0.8), "Width in pixels.", 0.1, 3.0),),
        p=0.2,
    ),
    Transform(
        "GaussNoise",
        "Blur and noise",
        "Grain.",
        (Param("std_range", (0.02, 0.06), "Standard deviation, share of full white.", 0, 0.5),),
        p=0.2,
    ),
    Transform(
        "MixUp",
        "Mixing",
        "Blend pairs of images and their labels (Zhang et al. 2018, arXiv 1710.09412).",
        (_ALPHA,),
        batched=True,
    ),
    Transform(
        "CutMix",
        "Mixing",
        "Paste a part of another image, labels by area (Yun et al. 2019, arXiv 1905.04899).",
        (Param("alpha", 1.0, _ALPHA.help, 0.05, 4),),
        batched=True,
    ),
)

CATALOGUE: dict[str, Transform] = {transform.name: transform for transform in _ALL}
