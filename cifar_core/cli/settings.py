"""Settings on a command line: one option per field, a recipe or a file to start from."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cifar_core.augment import AugmentSpec, read_spec
from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import ConfigError
from cifar_core.validation import describe_accepted, json_value

SET, FIND = "set_", "find_"  # how the options of a training, and of an LR test, begin


def add_config(command: argparse.ArgumentParser, unused: Collection[str] = ()) -> None:
    """--recipe, --config, and an option for each field of a training that is used."""
    command.add_argument("--recipe", help=f"start from a recipe: {', '.join(RECIPES)}")
    command.add_argument("--config", type=Path, help="start from a JSON file of settings")
    add_fields(command, TrainConfig, SET, unused)


def add_fields(
    command: Any, model: type[BaseModel], prefix: str, unused: Collection[str] = ()
) -> None:
    """An option for each field of a settings model; `command` may be a group of one."""
    for name, field in model.model_fields.items():
        if name in unused:
            continue
        default = "standard" if name == "augment" else field.default
        text = f"{field.description} [{describe_accepted(field)}] Default: {default}."
        command.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"{prefix}{name}",
            metavar="VALUE",
            help=text.replace("%", "%%"),
        )


def given(options: argparse.Namespace, prefix: str) -> dict[str, str]:
    """The values that were given for fields."""
    values = {k.removeprefix(prefix): v for k, v in vars(options).items() if k.startswith(prefix)}
    return {name: value for name, value in values.items() if value is not None}


def read_config(options: argparse.Namespace) -> TrainConfig:
    """The config of a command line: recipe, then file, then single settings.

    Raises:
        ConfigError: naming each mistake.
    """
    values: dict[str, Any] = {}
    if options.recipe:
        values = recipe(options.recipe).model_dump(mode="json")
    if options.config:
        values |= _read_file(options.config)
    return make_config(_with_spec({**values, **given(options, SET)}))


def _with_spec(values: dict[str, Any]) -> dict[str, Any]:
    """The values, with an augmentation that is a name or a file read."""
    text, data = values.get("augment"), values.get("data", TrainConfig.model_fields["data"].default)
    if not isinstance(text, str):
        return values
    return {**values, "augment": read_augmentation(text, str(data))}


def read_augmentation(text: str, data: str) -> AugmentSpec:
    """The augmentation that a preset's name, a file or JSON stands for.

    What it leaves out or rounds goes to the error stream.
    """
    reading = read_spec(text, data)
    for note in reading.notes:
        sys.stderr.write(f"{note}\n")
    return reading.spec


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"--config {path} cannot be read ({error.strerror}).") from None
    values = json_value(text, f"--config {path}")
    if not isinstance(values, dict):
        raise ConfigError(
            f"--config {path} holds {type(values).__name__}, not a table of settings."
        )
    return values
