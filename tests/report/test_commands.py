"""The command lines of a run: parsed again, they give the same settings, every one of them."""

import json
import shlex
from argparse import Namespace

import pytest

from cifar_core.augment import AugmentSpec, Operation, preset
from cifar_core.cli.main import build_parser
from cifar_core.cli.settings import read_config
from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.report.commands import repeat_commands, train_command
from tests.other_settings import OTHER_SETTINGS

PLAIN = make_config({})
ODD = AugmentSpec(operations=(Operation(name="HorizontalFlip", p=0.25), Operation(name="Cutout")))
PARSER = build_parser()


def parsed(line: str) -> Namespace:
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "cifar_core"]
    return PARSER.parse_args(words[3:])


@pytest.mark.parametrize("name", TrainConfig.model_fields)
def test_each_setting_survives_the_command_line(name: str) -> None:
    config = make_config({name: OTHER_SETTINGS[name]})
    line = train_command(config)
    assert f"--{name.replace('_', '-')}" in line
    assert read_config(parsed(line)) == config != PLAIN


@pytest.mark.parametrize(
    "changes",
    [
        {},
        OTHER_SETTINGS,
        {"augment": ODD},
        {"data": "a folder/with 'quotes' and $HOME; `ls` \n*"},
        {"data": "--data", "weights": "-x=y"},
        {"lr": 1e-7, "weight_decay": 0.1 + 0.2, "l1": 5e-324},
    ],
)
def test_settings_survive_the_command_line(changes: dict[str, object]) -> None:
    config = make_config(changes)
    assert read_config(parsed(train_command(config))) == config


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_survive_the_command_line(name: str) -> None:
    assert read_config(parsed(train_command(recipe(name)))) == recipe(name)


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert train_command(PLAIN) == "python -m cifar_core train"
    config = make_config({"augment": preset("cutout"), "num_workers": 0})
    assert train_command(config) == "python -m cifar_core train --augment cutout --num-workers 0"


def test_a_spec_that_is_no_preset_is_given_as_json() -> None:
    words = shlex.split(train_command(make_config({"augment": ODD})))
    spec = json.loads(words[words.index("--augment") + 1])
    assert AugmentSpec.model_validate(spec) == ODD


def test_the_new_run_is_evaluated_explained_and_reported() -> None:
    train, *others = repeat_commands(PLAIN, "one +2").splitlines()
    assert parsed(train).name == "one +2 again"
    assert [line.split()[3] for line in others] == ["evaluate", "explain", "report"]
    for line in others:
        assert parsed(line).run == "one +2 again"
        assert parsed(line).checkpoint == "best"


def test_another_checkpoint_is_named() -> None:
    _, *others = repeat_commands(PLAIN, "x", "epoch-0000087").splitlines()
    for line in others:
        assert parsed(line).checkpoint == "epoch-0000087"


@pytest.mark.parametrize("length", [50, 54, 55, 58, 59, 60])
def test_the_run_that_repeats_never_has_the_same_name(length: int) -> None:
    name = ("a name that is quite long " * 4)[:length].strip()
    again = parsed(repeat_commands(PLAIN, name).splitlines()[0]).name
    assert again != name
    assert again.endswith(" again")
    assert len(again) <= 60
