"""Exports a spec as albumentations JSON, YAML or Python, and imports the first two.

Only pixel operations can be exported. An import must survive the round trip unchanged or it is
refused, so that nothing is silently dropped or modified.
"""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from cifar_core.augment.albumentations_calls import BORDERS, Call, Color, calls_of
from cifar_core.augment.catalog import CATALOG
from cifar_core.augment.params import OLD_NAMES
from cifar_core.augment.pipeline import compose, library
from cifar_core.augment.spec import REPLACEMENTS, AugmentSpec
from cifar_core.errors import ConfigError

MAX_CHARS = 100_000
ALWAYS_APPLIED = ("Normalize", "ToTensorV2")  # to every image anyway, after everything else
Table = dict[str, Any]  # a JSON object


def not_exported(spec: AugmentSpec) -> str:
    """One sentence on what an export of the spec leaves out."""
    mixing = "".join(f", {operation.name}" for operation in spec.mixing)
    return f"Not included: normalization{mixing}."


def to_json(spec: AugmentSpec, mean: Color) -> str:
    """JSON for `albumentations.load`.

    Args:
        mean: Mean color of the data, for a cutout with fill "mean".
    """
    return json.dumps(_table(spec, mean), indent=2)


def to_yaml(spec: AugmentSpec, mean: Color) -> str:
    """YAML for `albumentations.load(..., data_format="yaml")`."""
    import yaml

    return yaml.safe_dump(_table(spec, mean), sort_keys=False)


def to_python(spec: AugmentSpec, mean: Color) -> str:
    """Python code that builds the pipeline."""
    lines = [f"# {spec.digest[:12]}. {not_exported(spec)}", "import albumentations as A", ""]
    lines += ["transform = A.Compose([", *_python_lines(calls_of(spec, mean), 1), "])"]
    return "\n".join(lines) + "\n"


def _python_lines(calls: list[Call] | tuple[Call, ...], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for call in calls:
        values = ", ".join(f"{name}={value!r}" for name, value in call.params.items())
        if not call.members:
            yield f"{indent}A.{call.name}({values}),"
            continue
        yield f"{indent}A.{call.name}(["
        yield from _python_lines(call.members, depth + 1)
        yield f"{indent}], {values}),"


def _table(spec: AugmentSpec, mean: Color) -> Table:
    """As albumentations writes it, without the arguments it would itself warn about."""
    table = _to_plain(library().to_dict(compose(spec, mean)))
    for step in _walk(table["transform"]):
        known = inspect.signature(getattr(library(), _name(step)).__init__).parameters
        for name in [n for n in step if n not in known and n != "__class_fullname__"]:
            del step[name]
    return table


def _to_plain(value: Any) -> Any:
    """Values as JSON types."""
    if isinstance(value, dict):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _walk(step: Table) -> Iterator[Table]:
    yield step
    for member in step.get("transforms", ()):
        yield from _walk(member)


def _name(step: Table) -> str:
    return str(step.get("__class_fullname__", "")).rsplit(".", 1)[-1]


def from_text(text: str, mean: Color) -> AugmentSpec:
    """Reads a spec of this app, or JSON or YAML saved by albumentations.

    Raises:
        ConfigError: if it is neither, or contains anything the catalog does not; names it.
    """
    match table := _parsed(text):
        case {"operations": _}:
            return _spec(table)
        case {"transform": {"__class_fullname__": str(name), "transforms": list(steps)}} if (
            name.rsplit(".", 1)[-1] == "Compose"
        ):
            return _spec_from_compose(steps, table["transform"], mean)
    raise ConfigError(
        'This is not an augmentation: give {"operations": [...]} as saved by this app, or a '
        "Compose saved by albumentations."
    )


def _parsed(text: str) -> Any:
    """JSON or YAML as JSON types.

    Raises:
        ConfigError: if it is neither, longer than any spec, or YAML with aliases, by which a few
            lines can expand to more than fits into memory.
    """
    import yaml

    if len(text) > MAX_CHARS:
        raise ConfigError(f"This has {len(text):,} characters; give at most {MAX_CHARS:,}.")
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        if any(isinstance(event, yaml.AliasEvent) for event in events):
            raise ConfigError("This YAML has aliases (*name); write out their values.")
        return json.loads(json.dumps(yaml.safe_load(text), default=str))  # JSON is YAML
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"This is neither JSON nor YAML: {reason}") from None


def _spec(table: Table) -> AugmentSpec:
    return AugmentSpec.from_json(json.dumps(table))


def _spec_from_compose(steps: list[Any], compose_table: Table, mean: Color) -> AugmentSpec:
    if compose_table.get("p", 1) != 1:
        raise ConfigError(f"This Compose has p = {compose_table['p']}; only p = 1 is accepted.")
    _check_tables(steps)
    steps = [step for step in steps if _name(step) not in ALWAYS_APPLIED]
    spec = _spec({"operations": list(_operations(steps, mean))})
    exported = _table(spec, mean)["transform"]["transforms"]
    for given, ours in zip(steps, exported, strict=True):
        _check_round_trip(given, ours)
    return spec


def _check_tables(steps: Any) -> None:
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ConfigError(
            f"transforms = {str(steps)[:60]!r} is not accepted; give a list of JSON objects."
        )
    for step in steps:
        if "transforms" in step:
            _check_tables(step["transforms"])


def _operations(steps: list[Table], mean: Color) -> Iterator[Table]:
    remaining = list(steps)
    while remaining:
        step = remaining.pop(0)
        crops_next = bool(remaining) and _name(remaining[0]) == "RandomCrop"
        if _name(step) == "PadIfNeeded" and crops_next:
            remaining.pop(0)
            yield _pad_crop(step, 1.0)
        else:
            yield _operation(step, mean)


def _operation(step: Table, mean: Color) -> Table:
    name, p, members = _name(step), step.get("p", 0.5), step.get("transforms", [])
    if name == "Sequential" and [_name(m) for m in members] == ["PadIfNeeded", "RandomCrop"]:
        return _pad_crop(members[0], p)
    if name == "CoarseDropout" and (cutout := _cutout(step, mean)):
        return {"name": "Cutout", "p": p, "params": cutout}
    if name not in CATALOG or name in ("PadCrop", "Cutout", "MixUp", "CutMix"):
        hint = REPLACEMENTS.get(name) or f"one of {', '.join(CATALOG)}"
        what = name or "A transform without a name"
        raise ConfigError(f"{what} is not supported. Give {hint}.")
    known = {param.name for param in CATALOG[name].params}
    params = {key: _pair(value) for key, value in step.items() if key in known}
    operation: Table = {"name": name, "p": p, "params": params}
    if members:
        operation["operations"] = [_operation(member, mean) for member in members]
    return operation


def _pad_crop(pad: Table, p: float) -> Table:
    modes = {number: mode for mode, number in BORDERS.items()}
    side, mode = pad.get("min_height"), modes.get(pad.get("border_mode", 0))
    if not isinstance(side, int) or side % 2 or mode is None:
        raise ConfigError(
            "A PadIfNeeded before a RandomCrop must pad all sides equally, with a constant or "
            f"reflected border; this one has {pad}."
        )
    return {"name": "PadCrop", "p": p, "params": {"padding": (side - 32) // 2, "mode": mode}}


def _cutout(step: Table, mean: Color) -> Table | None:
    """Parameters of our Cutout, if this is one square of fixed size in black or the mean."""
    height, width = step.get("hole_height_range"), step.get("hole_width_range")
    if step.get("num_holes_range") != [1, 1] or height != width or not isinstance(height, list):
        return None
    fills = {"black": 0, "mean": list(mean)}
    fill = next((name for name, value in fills.items() if step.get("fill") == value), None)
    if fill is None or height[0] != height[-1] or not isinstance(height[0], int):
        return None
    return {"size": height[0], "fill": fill}


def _pair(value: Any) -> Any:
    """albumentations stores a range that is shared by both axes twice."""
    if isinstance(value, dict) and value.get("x") == value.get("y"):
        return value.get("x")
    return value


def _check_round_trip(given: Table, ours: Table) -> None:
    """Refuses a transform if an argument would be lost or changed.

    Raises:
        ConfigError: names the argument.
    """
    for name, value in given.items():
        if name == "__class_fullname__" or (name == "always_apply" and not value):
            continue
        if name == "transforms" and len(value) == len(ours.get(name, ())):
            for given_member, our_member in zip(value, ours["transforms"], strict=True):
                _check_round_trip(given_member, our_member)
        elif name not in ours:
            old = OLD_NAMES.get(name)
            hint = f"It was renamed: give {old}." if old else "Remove it."
            raise ConfigError(f"{_name(given)} has no argument {name}. {hint}")
        elif value != ours[name]:
            raise ConfigError(
                f"{_name(given)} with {name} = {value} is not supported; give {ours[name]}."
            )
