"""Exports the pixel operations of a spec as albumentations' JSON, YAML or Python."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from cifar_core.augment.albumentations_calls import Call, Color, calls_of
from cifar_core.augment.pipeline import compose, library
from cifar_core.augment.spec import AugmentSpec

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
    transform = as_saved(compose(spec, mean))
    for step in _walk(transform):
        kind = getattr(library(), step["__class_fullname__"])
        known = inspect.signature(kind.__init__).parameters
        for name in [n for n in step if n not in known and n != "__class_fullname__"]:
            del step[name]
    return {"__version__": library().__version__, "transform": transform}


def as_saved(transform: Any) -> Table:
    """A pipeline or transform of albumentations as it saves it, in JSON types."""
    return _to_plain(library().to_dict(transform)["transform"])


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
