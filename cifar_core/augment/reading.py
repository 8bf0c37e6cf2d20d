"""Specs from text and files: presets, this app's JSON or YAML, and what albumentations saved."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.augment.presets import PRESETS, preset
from cifar_core.augment.spec import AugmentSpec
from cifar_core.errors import ConfigError
from cifar_core.validation import MOST_NESTED, check_nesting, json_value, shown, validated

if TYPE_CHECKING:
    from cifar_core.augment.albumentations_calls import Color
    from cifar_core.data import Dataset

MAX_CHARS = 1_000_000  # many times the longest spec, so that one too long is told its number
MAX_YAML = 100_000  # twice the longest spec; PyYAML reads this in a second
ENDINGS = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Reading:
    """A spec that was read, and a sentence on everything that it leaves out or rounds."""

    spec: AugmentSpec
    notes: tuple[str, ...] = ()


def spec_from_text(text: str, data: str = "cifar10") -> AugmentSpec:
    """The spec of `read_spec`."""
    return read_spec(text, data).spec


def read_spec(text: str, data: str) -> Reading:
    """Reads a preset's name, JSON, or the path of a JSON or YAML file.

    Args:
        data: The data set whose mean color a cutout may have.

    Raises:
        ConfigError: if the text is none of these.
        DataError: if the mean color is needed, and there is no such data set.
    """
    if text.lstrip("\ufeff \n\r\t").startswith("{"):
        return read_text(text, data)
    if text.casefold().endswith(ENDINGS):
        return read_text(_file_text(text), data)
    if text.casefold().endswith(".py"):
        raise ConfigError(
            f"{text} is Python, which is not run here. Run it yourself, save the result with "
            'albumentations.save(transform, "spec.json"), and give that file.'
        )
    return Reading(preset(text))


def _file_text(path: str) -> str:
    try:
        if not Path(path).is_file():
            raise ConfigError(
                f"There is no file {path}. Give the path of a JSON or YAML file, JSON, or a "
                f"preset: {', '.join(PRESETS)}."
            )
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CHARS + 2)  # one more than is accepted, and a byte order mark
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path[:200]} cannot be read ({reason}).") from None


def read_text(text: str, data: "str | Dataset") -> Reading:
    """Reads a spec of this app, or a Compose saved by albumentations, as JSON or YAML.

    Args:
        data: As for `read_spec`.

    Raises:
        ConfigError: if it is neither, or contains anything the catalog does not; names it.
        DataError: as `read_spec`.
    """
    match table := _parsed(text):
        case {"operations": _}:
            return Reading(_own(table))
        case {"transform": {"__class_fullname__": str(name)} as pipeline} if (
            name.rsplit(".", 1)[-1] == "Compose"
        ):
            return _by_albumentations(pipeline, data)
        case {"transform": {"__class_fullname__": str(name)}}:
            raise ConfigError(f"This is {shown(name)} alone; save a Compose that contains it.")
    raise ConfigError(
        'This is not an augmentation: give {"operations": [...]} as saved by this app, or a '
        "Compose saved by albumentations."
    )


def _own(table: dict[str, Any]) -> AugmentSpec:
    """A spec of this app; the hash that `augment --json` writes beside it must be its own."""
    spec = validated(AugmentSpec, {key: v for key, v in table.items() if key != "hash"})
    digest = table.get("hash", spec.digest)
    if digest != spec.digest:
        raise ConfigError(
            f"hash = {shown(digest)} is not the hash of these operations, which is "
            f"{spec.digest}. They were changed: remove the hash, or restore the file."
        )
    return spec


def _by_albumentations(pipeline: dict[str, Any], data: "str | Dataset") -> Reading:
    from cifar_core.augment.importing import needs_mean, spec_of
    from cifar_core.augment.saved_steps import steps_of

    steps = steps_of(pipeline)
    mean = _mean(data) if needs_mean(steps) else (0, 0, 0)
    return Reading(*spec_of(steps, mean))


def _mean(data: "str | Dataset") -> "Color":
    from cifar_core.data import open_dataset
    from cifar_core.data.dataset import mean_color

    return mean_color(open_dataset(data) if isinstance(data, str) else data)


def _parsed(text: str) -> Any:
    """JSON or YAML as JSON types.

    Raises:
        ConfigError: if it is neither, or longer or nested deeper than any spec.
    """
    _check_length(text, MAX_CHARS)
    try:
        return json_value(text, "The augmentation")
    except ConfigError:
        if text.lstrip("\ufeff \n\r\t").startswith(("{", "[")):
            raise
    _check_length(text, MAX_YAML)
    return _from_yaml(text)


def _check_length(text: str, most: int) -> None:
    if len(text) > most + 1:
        raise ConfigError(f"This has more than {most:,} characters, which no spec has.")


def _from_yaml(text: str) -> Any:
    """YAML as JSON types; without aliases, by which a few lines can expand to fill the memory."""
    import yaml

    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ConfigError("This YAML has aliases (*name); write out their values.")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_NESTED:
                raise RecursionError("nested too deep")
        value = json.loads(json.dumps(yaml.safe_load(text), default=str))
        check_nesting(value)
        return value
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"This is neither JSON nor YAML: {reason}") from None
