"""A pipeline that albumentations saved, as a spec; whatever would be lost or changed is refused."""

import inspect
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from cifar_core.augment.albumentations_calls import BORDERS, Call, Color
from cifar_core.augment.catalog import CATALOG
from cifar_core.augment.exchange import as_saved
from cifar_core.augment.params import OLD_NAMES, Param
from cifar_core.augment.pipeline import build, compose, library
from cifar_core.augment.saved_steps import (
    CHOICES,
    CONTAINERS,
    Step,
    Table,
    leaves,
    not_supported,
    step_of,
)
from cifar_core.augment.spec import MAX_OPERATIONS, AugmentSpec
from cifar_core.errors import ConfigError
from cifar_core.validation import shown

ALWAYS_APPLIED = ("Normalize", "ToTensorV2")  # to every image anyway, after everything else
OURS = ("PadCrop", "Cutout", "MixUp", "CutMix")  # other names or nothing in albumentations
PAD_CROP = ["PadIfNeeded", "RandomCrop"]
SIDE = 32


def needs_mean(steps: Sequence[Step]) -> bool:
    """Whether a transform may be a cutout filled with a color, which may be the mean."""
    holes = [step.params for step in leaves(steps) if step.name == "CoarseDropout"]
    return any(isinstance(params.get("fill"), list) for params in holes)


def spec_of(steps: Sequence[Step], mean: Color) -> tuple[AugmentSpec, tuple[str, ...]]:
    """The spec that does what the steps do, and a sentence on each that was left out or rounded.

    Args:
        mean: Mean color of the data, 0..255, by which a cutout with fill "mean" is recognized.

    Raises:
        ConfigError: if no spec does; names the transform and the argument.
    """
    pixel, left_out = _without_normalization(steps)
    _check_number(pixel)
    given = [_canonical(step) for step in pixel]
    whole = [_in_pixels(step) for step in given]
    table = {"operations": list(_operations(whole, mean))}
    spec = AugmentSpec.from_json(json.dumps(table))
    exported = as_saved(compose(spec, mean))["transforms"]
    for theirs, ours in zip(whole, exported, strict=True):
        _check_round_trip(theirs, step_of(ours))
    changed = zip(leaves(given), leaves(whole), strict=True)
    return spec, (*left_out, *(_rounded(after) for before, after in changed if before != after))


def _check_number(steps: Sequence[Step]) -> None:
    """Refuses more transforms than any spec has, before seconds go by in building them."""
    number = sum(1 for _ in leaves(steps))
    if number > 2 * MAX_OPERATIONS:  # a padded crop is two transforms
        raise ConfigError(f"This has {number:,} transforms; a spec has at most {MAX_OPERATIONS}.")


def _without_normalization(steps: Sequence[Step]) -> tuple[list[Step], list[str]]:
    """The steps before those that are applied to every image anyway, and a sentence on these."""
    kept = list(steps)
    while kept and kept[-1].name in ALWAYS_APPLIED and kept[-1].p == 1:
        kept.pop()
    for step in leaves(kept):
        if step.name in ALWAYS_APPLIED:
            raise ConfigError(
                f"{step.name} with p = {step.p:g} is not supported here: after all other "
                "transforms every image is normalized and becomes a tensor. Remove it, or put it "
                "last with p = 1."
            )
    names = " and ".join(step.name for step in steps[len(kept) :])
    about = "every image is normalized, with the mean and standard deviation of the training data."
    return kept, [f"Left out: {names}; {about}"] if names else []


def _canonical(step: Step) -> Step:
    """The step with all its arguments, as albumentations reads it and would save it again.

    Raises:
        ConfigError: if there is no such operation, or albumentations does not take an argument.
    """
    if step.name in CONTAINERS:
        members = tuple(_canonical(member) for member in step.members)
        if step.name == "Sequential" and len(members) == 1 and members[0].p == 1:
            return replace(members[0], p=step.p)
        return replace(step, members=members)
    if step.name in OURS or (step.name not in CATALOG and step.name not in PAD_CROP):
        raise not_supported(step.name)
    taken = inspect.signature(getattr(library(), step.name).__init__).parameters
    arguments = {name: value for name, value in step.params.items() if name in taken}
    full = step_of(as_saved(build(Call(step.name, {**arguments, "p": step.p}))))
    for name, value in step.params.items():
        # The library also saves some values that it does not take: they must be those it saves.
        # It saves no empty lists.
        if name not in taken or name not in full.params:
            _check_param(step.name, name, value, full.params)
    return full


def _in_pixels(step: Step) -> Step:
    """The step with holes in pixels; albumentations takes less than 1 as a fraction of the side."""
    if step.members:
        return replace(step, members=tuple(_in_pixels(member) for member in step.members))
    if step.name != "CoarseDropout" or step.params["hole_height_range"][1] >= 1:
        return step
    names = ("hole_height_range", "hole_width_range")
    pixels = {name: [int(SIDE * end) for end in step.params[name]] for name in names}
    return replace(step, params={**step.params, **pixels})


def _rounded(step: Step) -> str:
    """A sentence on holes that were fractions of the side."""
    sides = ("height", "width")
    ranges = [f"{side} {low} to {high}" for side in sides for low, high in [_hole(step, side)]]
    return f"{step.name}: the holes are in whole pixels, {', '.join(ranges)}, all equally likely."


def _hole(step: Step, side: str) -> list[int]:
    return step.params[f"hole_{side}_range"]


def _operations(steps: Sequence[Step], mean: Color) -> Iterator[Table]:
    remaining = deque(steps)
    while remaining:
        step = remaining.popleft()
        if [step.name, *(following.name for following in list(remaining)[:1])] == PAD_CROP:
            remaining.popleft()
            yield _pad_crop(step, 1.0)
        else:
            yield _operation(step, mean)


def _operation(step: Step, mean: Color) -> Table:
    if step.name == "Sequential" and [member.name for member in step.members] == PAD_CROP:
        return _pad_crop(step.members[0], step.p)
    if step.name == "CoarseDropout" and (cutout := _cutout(step, mean)):
        return {"name": "Cutout", "p": step.p, "params": cutout}
    if step.name not in CATALOG:
        raise not_supported(step.name)
    if step.name in CHOICES:
        params = {name: value for name, value in step.params.items() if name == "n"}
        members = [_operation(member, mean) for member in step.members]
        return {"name": step.name, "p": step.p, "params": params, "operations": members}
    given = [name for name, value in step.params.items() if value is not None]
    taken = CATALOG[step.name].params_of(given)
    params = {param.name: _value(param, step.params[param.name]) for param in taken}
    return {"name": step.name, "p": step.p, "params": params}


def _value(param: Param, value: Any) -> Any:
    """A saved value in the form of the catalog; what does not fit stays, to be refused there."""
    if isinstance(value, dict) and value.get("x") == value.get("y"):
        return value.get("x")  # a range that both axes share is saved twice
    if param.name == "border_mode":
        return next((mode for mode, number in BORDERS.items() if number == value), value)
    is_color = isinstance(param.default, tuple) and len(param.default) == 3
    return [value] * 3 if is_color and isinstance(value, int | float) else value


def _pad_crop(pad: Step, p: float) -> Table:
    side, mode = pad.params["min_height"], pad.params["border_mode"]
    modes = [word for word, number in BORDERS.items() if number == mode]
    if not isinstance(side, int) or side % 2 or not modes:
        raise ConfigError(
            "A PadIfNeeded before a RandomCrop must pad all sides equally, with a constant or "
            f"reflected border (0 or 4); this one has min_height = {side}, border_mode = {mode}."
        )
    return {"name": "PadCrop", "p": p, "params": {"padding": (side - SIDE) // 2, "mode": modes[0]}}


def _cutout(step: Step, mean: Color) -> Table | None:
    """Parameters of our Cutout, if this is one square of fixed size in black or the mean."""
    height, width = _hole(step, "height"), _hole(step, "width")
    if step.params["num_holes_range"] != [1, 1] or height != width or height[0] != height[1]:
        return None
    fills = {"black": 0, "mean": list(mean)}
    fill = next((name for name, value in fills.items() if step.params["fill"] == value), None)
    return {"size": height[0], "fill": fill} if fill else None


def _check_round_trip(given: Step, ours: Step) -> None:
    """Refuses a transform if an argument would be lost or changed.

    Raises:
        ConfigError: names the argument.
    """
    values, exported = {"p": given.p, **given.params}, {"p": ours.p, **ours.params}
    for name, value in values.items():
        _check_param(given.name, name, value, exported)
    for given_member, our_member in zip(given.members, ours.members, strict=True):
        _check_round_trip(given_member, our_member)


def _check_param(transform: str, name: str, value: Any, ours: Table) -> None:
    if name == "always_apply" and not value:  # of version 1, where it says nothing
        return
    if name not in ours:
        old = OLD_NAMES.get(name)
        hint = f"It was renamed: give {old}." if old else "Remove it."
        raise ConfigError(f"{transform} has no argument {name[:60]} = {shown(value)}. {hint}")
    if value != ours[name] and ours[name] != [value] * 3:  # one number is a gray
        raise ConfigError(
            f"{transform} with {name} = {shown(value)} is not supported; give {ours[name]}."
        )
