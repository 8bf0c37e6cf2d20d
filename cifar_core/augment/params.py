"""Operations of the catalog: their parameters, bounds, and the values they accept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cifar_core.validation import shown

Value = bool | int | float | str | tuple[float, float] | tuple[int, int] | tuple[int, int, int]
Group = Literal["Geometry", "Dropout", "Color", "Blur and noise", "Choice", "Mixing"]

# Argument names of albumentations 1, which version 2 ignores with only a warning.
OLD_NAMES = {
    "max_holes": "num_holes_range, such as [1, 4]",
    "min_holes": "num_holes_range, such as [1, 4]",
    "num_holes": "num_holes_range, such as [1, 4]",
    "max_height": "hole_height_range, in pixels, such as [4, 8]",
    "min_height": "hole_height_range, in pixels, such as [4, 8]",
    "max_width": "hole_width_range, in pixels, such as [4, 8]",
    "min_width": "hole_width_range, in pixels, such as [4, 8]",
    "fill_value": "fill",
    "value": "fill",
    "cval": "fill",
    "mask_fill_value": "fill",
    "always_apply": "p = 1",
    "var_limit": "std_range, fractions of full white, such as [0.02, 0.06]",
    "shift_limit": "translate_px of Affine, in pixels, such as [-2, 2]",
    "scale_limit": "scale of Affine",
    "rotate_limit": "rotate of Affine, or limit of Rotate",
    "quality_lower": "quality_range, such as [50, 90]",
    "quality_upper": "quality_range, such as [50, 90]",
    "scale_min": "scale_range, such as [0.5, 0.9]",
    "scale_max": "scale_range, such as [0.5, 0.9]",
    "drop_prob": "dropout_prob",
    "height": "no size: images stay 32x32",
    "width": "no size: images stay 32x32",
}


@dataclass(frozen=True)
class Param:
    """One parameter of an operation; its default determines the type.

    Two numbers are a range, three whole numbers a color, true and false a switch.

    Attributes:
        low: Smallest accepted value, for both ends of a range.
        high: Largest accepted value, for both ends of a range.
        why: Why the default differs from albumentations' default; empty if it does not.
        odd: Only odd numbers are accepted; albumentations would silently use the next one.
        apart: The ends of the range must differ; albumentations fails on images otherwise.
    """

    name: str
    default: Value
    help: str
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    why: str = ""
    odd: bool = False
    apart: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are accepted."""
        first = self.default[0] if isinstance(self.default, tuple) else self.default
        return isinstance(first, int) and not isinstance(first, bool)

    def accept(self, value: object) -> Value:
        """Returns `value` converted to the parameter's type.

        Raises:
            ValueError: if it is of another type or out of bounds; the text says what is accepted.
        """
        if self.choices:
            if value not in self.choices:
                raise ValueError(
                    f"{self.name} = {shown(value)} is not one of {', '.join(self.choices)}"
                )
            return str(value)
        if isinstance(self.default, bool):
            return self._accept_switch(value)
        if not isinstance(self.default, tuple):
            return self._accept_number(value)
        if len(self.default) == 3:
            return self._accept_color(value)
        return self._accept_range(value)

    def _accept_switch(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{self.name} = {shown(value)} is not true or false")
        return value

    def _accept_range(self, value: object) -> tuple[float, float] | tuple[int, int]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(f"{self.name} = {shown(value)} is not a range such as {self.default}")
        low, high = (self._accept_number(end) for end in value)
        if low > high:
            raise ValueError(f"{self.name} = {shown(value)} has its larger end first; swap them")
        if self.apart and low == high:
            raise ValueError(
                f"{self.name} = {shown(value)} has equal ends; give two different numbers"
            )
        return (low, high)

    def _accept_color(self, value: object) -> tuple[int, int, int]:
        if not isinstance(value, list | tuple) or len(value) != 3:
            raise ValueError(f"{self.name} = {shown(value)} is not a color such as [125, 123, 114]")
        if any(0 < v < 1 for v in value if isinstance(v, float)):
            whole = [round(255 * v) for v in value]
            raise ValueError(
                f"{self.name} = {shown(value)} is on the scale 0 to 1, which albumentations reads "
                f"as black; give {whole} on the scale 0 to 255"
            )
        red, green, blue = (int(self._accept_number(v)) for v in value)
        return red, green, blue

    def _accept_number(self, value: object) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name} = {shown(value)} is not a number")
        if not self.low <= value <= self.high:
            raise ValueError(
                f"{self.name} = {shown(value)} is out of bounds; give {self.low:g} to {self.high:g}"
            )
        if not self.whole:
            return float(value)
        if value != int(value):
            raise ValueError(f"{self.name} = {shown(value)} is not a whole number")
        if self.odd and value % 2 == 0:
            raise ValueError(f"{self.name} = {shown(value)} is even; give odd numbers")
        return int(value)


@dataclass(frozen=True)
class Transform:
    """An operation of the catalog.

    Attributes:
        about: One sentence for the form.
        batched: Has a kernel that runs on whole batches on the device.
        p: Default probability.
        holds: Contains other operations to choose from (OneOf, SomeOf).
        former: The parameters of an earlier version, if one of them is gone. A spec that names it
            is read with these, so that it keeps its hash and its images.
    """

    name: str
    group: Group
    about: str
    params: tuple[Param, ...] = ()
    batched: bool = False
    p: float = 0.5
    holds: bool = False
    former: tuple[Param, ...] = ()

    def params_of(self, names: Iterable[str]) -> tuple[Param, ...]:
        """The parameters to which the names in a spec belong: today's, or those of before."""
        gone = {param.name for param in self.former} - {param.name for param in self.params}
        return self.former if gone.intersection(names) else self.params

    def accept(self, params: dict[str, object]) -> dict[str, Value]:
        """Returns all parameters in order, defaults filled in.

        Raises:
            ValueError: for an unknown name or a value that is not accepted.
        """
        accepting = self.params_of(params)
        names = [param.name for param in accepting]
        for name in params:
            if name not in names:
                accepted = ", ".join(names) or "none"
                old = OLD_NAMES.get(name)
                hint = f"; it was renamed: give {old}" if old else f"; available: {accepted}"
                raise ValueError(f"{self.name} has no parameter {shown(name)}{hint}")
        return {p.name: p.accept(params.get(p.name, p.default)) for p in accepting}
