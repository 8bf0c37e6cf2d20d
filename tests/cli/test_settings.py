"""Settings on a command line: recipe, then file, then single options; mistakes are sentences."""

import argparse
import json
from pathlib import Path

import pytest

from cifar_core.cli.settings import SET, add_config, given, read_config
from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import ConfigError


def options_of(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_config(parser, unused=("tensorboard",))
    return parser.parse_args(words)


def test_each_setting_has_an_option_but_what_is_not_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        options_of("--help")
    text = capsys.readouterr().out
    for name in TrainConfig.model_fields:
        assert (f"--{name.replace('_', '-')} VALUE" in text) == (name != "tensorboard")


def test_nothing_given_is_the_defaults() -> None:
    options = options_of()
    assert given(options, SET) == {}
    assert read_config(options) == TrainConfig()


def test_single_options_win_over_the_file_and_the_file_over_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"epochs": 4, "lr": 0.3}))
    words = ("--recipe", "quick", "--config", str(file), "--lr", "0.7")
    expected = recipe("quick").model_dump() | {"epochs": 4, "lr": 0.7}
    assert read_config(options_of(*words)) == make_config(expected)


def test_a_config_that_a_run_wrote_is_a_file_to_start_from(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    for name in RECIPES:
        file.write_text(recipe(name).model_dump_json())
        assert read_config(options_of("--config", str(file))) == recipe(name)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read"), ("{", "is not valid JSON"), ("[1]", "holds list, not a table")],
)
def test_a_file_that_will_not_do_is_named(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "mine.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=told) as caught:
        read_config(options_of("--config", str(file)))
    assert str(file) in str(caught.value)


def test_an_unknown_recipe_is_named_with_the_known() -> None:
    with pytest.raises(ConfigError, match=r"slow.*quick"):
        read_config(options_of("--recipe", "slow"))
