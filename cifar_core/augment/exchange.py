"""A spec in albumentations' own words: its JSON and YAML, out and in, and lines of Python.

Only the operations on single images have such words. What is read has to come out again as it
went in, or it is refused: nothing is left out or changed in silence.
"""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from cifar_core.augment.albumentations_calls import BORDERS, Call, Colour, calls_of
from cifar_core.augment.catalogue import CATALOGUE
from cifar_core.augment.params import OLD_NAMES
from cifar_core.augment.pipeline import compose, library
from cifar_core.augment.spec import ELSEWHERE, AugmentSpec
from cifar_core.errors import ConfigError

MOST_TEXT = 100_000
ALWAYS = ("Normalize", "ToTensorV2")  # happens to every image anyway, after everything else
Table = dict[str, Any]


def left_out(spec: AugmentSpec) -> str:
    """What albumentations' words do not say of a spec, in a sentence."""
    mixing = " and ".join(operation.name for operation in spec.mixing)
    also = f" {mixing} for whole batches: not in it either." if mixing else ""
    return f"Normalisation is not in it, as it belongs to the data.{also}"


def to_json(spec: AugmentSpec, mean: Colour) -> str:
    """What `albumentations.load` reads.

    Args:
        mean: The data's mean colour, for a cutout with fill "mean".
    """
    return json.dumps(_table(spec, mean), indent=2)


def to_yaml(spec: AugmentSpec, mean: Colour) -> str:
    """What `albumentations.load(..., data_format="yaml")` reads."""
    import yaml

    return yaml.safe_dump(_table(spec, mean), sort_keys=False)


def to_python(spec: AugmentSpec, mean: Colour) -> str:
    """Lines that build the pipeline."""
    lines = [f"# {spec.digest[:12]}. {left_out(spec)}", "import albumentations as A", ""]
    lines += ["transform = A.Compose([", *_written(calls_of(spec, mean), 1), "])"]
    return "\n".join(lines) + "\n"


def _written(calls: list[Call] | tuple[Call, ...], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for call in calls:
        values = ", ".join(f"{name}={value!r}" for name, value in call.params.items())
        if not call.members:
            yield f"{indent}A.{call.name}({values}),"
            continue
        yield f"{indent}A.{call.name}(["
        yield from _written(call.members, depth + 1)
        yield f"{indent}], {values}),"


def _table(spec: AugmentSpec, mean: Colour) -> Table:
    """As albumentations writes it, less what it would itself warn of."""
    table = _plain(library().to_dict(compose(spec, mean)))
    for step in _all(table["transform"]):
        known = inspect.signature(getattr(library(), _name(step)).__init__).parameters
        for name in [n for n in step if n not in known and n != "__class_fullname__"]:
            del step[name]
    return table


def _plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value


def _all(step: Table) -> Iterator[Table]:
    yield step
    for member in step.get("transforms", ()):
        yield from _all(member)


def _name(step: Table) -> str:
    return str(step.get("__class_fullname__", "")).rsplit(".", 1)[-1]


def from_text(text: str, mean: Colour) -> AugmentSpec:
    """Reads a spec of ours, or JSON or YAML that albumentations wrote.

    Raises:
        ConfigError: if it is neither, or holds what the catalogue does not; it says what.
    """
    match table := _parsed(text):
        case {"operations": _}:
            return _spec(table)
        case {"transform": {"__class_fullname__": str(name), "transforms": list(steps)}} if (
            name.rsplit(".", 1)[-1] == "Compose"
        ):
            return _read(steps, table["transform"], mean)
    raise ConfigError(
        'This is no augmentation: neither {"operations": [...]}, as this app writes it, nor a '
        "Compose that albumentations saved."
    )


def _parsed(text: str) -> Any:
    """What JSON or YAML says, as JSON has it.

    Raises:
        ConfigError: if it is neither; also for YAML's references, by which a few lines can stand
            for more than fits into memory, and for what is longer than any spec.
    """
    import yaml

    if len(text) > MOST_TEXT:
        raise ConfigError(f"This has {len(text):,} letters; a spec has at most {MOST_TEXT:,}.")
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        if any(isinstance(event, yaml.AliasEvent) for event in events):
            raise ConfigError(
                "This is YAML with references (*name); write out what they stand for."
            )
        return json.loads(json.dumps(yaml.safe_load(text), default=str))  # JSON is YAML
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"This is neither JSON nor YAML: {why}") from None


def _spec(table: Table) -> AugmentSpec:
    return AugmentSpec.from_json(json.dumps(table))


def _read(steps: list[Any], whole: Table, mean: Colour) -> AugmentSpec:
    if whole.get("p", 1) != 1:
        raise ConfigError(f"This Compose has p = {whole['p']}; only p = 1 can be taken.")
    _check_tables(steps)
    steps = [step for step in steps if _name(step) not in ALWAYS]
    spec = _spec({"operations": list(_operations(steps, mean))})
    again = _table(spec, mean)["transform"]["transforms"]
    for given, ours in zip(steps, again, strict=True):
        _check_same(given, ours)
    return spec


def _check_tables(steps: Any) -> None:
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ConfigError(f"The transforms have to be a list of tables, not {str(steps)[:60]!r}.")
    for step in steps:
        if "transforms" in step:
            _check_tables(step["transforms"])


def _operations(steps: list[Table], mean: Colour) -> Iterator[Table]:
    left = list(steps)
    while left:
        step = left.pop(0)
        if _name(step) == "PadIfNeeded" and left and _name(left[0]) == "RandomCrop":
            left.pop(0)
            yield _pad_crop(step, 1.0)
        else:
            yield _operation(step, mean)


def _operation(step: Table, mean: Colour) -> Table:
    name, p, members = _name(step), step.get("p", 0.5), step.get("transforms", [])
    if name == "Sequential" and [_name(m) for m in members] == ["PadIfNeeded", "RandomCrop"]:
        return _pad_crop(members[0], p)
    if name == "CoarseDropout" and (cutout := _cutout(step, mean)):
        return {"name": "Cutout", "p": p, "params": cutout}
    if name not in CATALOGUE or name in ("PadCrop", "Cutout", "MixUp", "CutMix"):
        hint = ELSEWHERE.get(name) or f"one of {', '.join(CATALOGUE)}"
        what = name or "A step without a name"
        raise ConfigError(f"{what} is not in the catalogue. Give {hint}.")
    known = {param.name for param in CATALOGUE[name].params}
    params = {key: _pair(value) for key, value in step.items() if key in known}
    found: Table = {"name": name, "p": p, "params": params}
    return {**found, "operations": [_operation(m, mean) for m in members]} if members else found


def _pad_crop(pad: Table, p: float) -> Table:
    modes = {number: mode for mode, number in BORDERS.items()}
    side, mode = pad.get("min_height"), modes.get(pad.get("border_mode", 0))
    if not isinstance(side, int) or side % 2 or mode is None:
        raise ConfigError(
            "A PadIfNeeded before a RandomCrop has to pad evenly, with a constant or reflected "
            f"border; this one has {pad}."
        )
    return {"name": "PadCrop", "p": p, "params": {"padding": (side - 32) // 2, "mode": mode}}


def _cutout(step: Table, mean: Colour) -> Table | None:
    """The parameters of ours, if this is one square of a fixed size in black or the mean."""
    height, width = step.get("hole_height_range"), step.get("hole_width_range")
    if step.get("num_holes_range") != [1, 1] or height != width or not isinstance(height, list):
        return None
    fills = {"black": 0, "mean": list(mean)}
    fill = next((name for name, value in fills.items() if step.get("fill") == value), None)
    if fill is None or height[0] != height[-1] or not isinstance(height[0], int):
        return None
    return {"size": height[0], "fill": fill}


def _pair(value: Any) -> Any:
    """albumentations keeps one range for both axes as two, and a whole range as floats."""
    if isinstance(value, dict) and value.get("x") == value.get("y"):
        return value.get("x")
    return value


def _check_same(given: Table, ours: Table) -> None:
    """Refuses a step of which something would be lost.

    Raises:
        ConfigError: naming it.
    """
    for name, value in given.items():
        if name == "__class_fullname__" or (name == "always_apply" and not value):
            continue
        if name == "transforms" and len(value) == len(ours.get(name, ())):
            for one, other in zip(value, ours["transforms"], strict=True):
                _check_same(one, other)
        elif name not in ours:
            old = OLD_NAMES.get(name)
            hint = f"That is an old name; give {old}." if old else "Leave it out."
            raise ConfigError(f"{_name(given)} takes no {name}. {hint}")
        elif value != ours[name]:
            raise ConfigError(
                f"{_name(given)} with {name} = {value} cannot be taken; here it is {ours[name]}."
            )
