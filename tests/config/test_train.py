"""The settings of a run: what each says of itself, JSON, differences, the cost of importing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cifar_core.augment import PRESETS, preset
from cifar_core.config.display import difference, display_values
from cifar_core.config.train import GROUPS, TrainConfig, make_config
from cifar_core.validation import describe_accepted, parse_json
from tests.other_settings import OTHER_SETTINGS

FIELDS = TrainConfig.model_fields
LIGHT = (
    "config.train",
    "config.recipes",
    "runs.store",
    "runs.lifecycle",
    "jobs.launch",
    "records.records",
    "plots",
    "checkpoints.checkpoint",
)
HEAVY = ("torch", "torchvision", "albumentations", "streamlit", "cv2", "pyarrow")


def test_every_setting_has_a_group_a_help_text_and_a_valid_default() -> None:
    for name, field in FIELDS.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict), name
        assert extra["group"] in GROUPS, name
        assert field.description, name
        assert field.description.endswith("."), name
        assert getattr(make_config({name: field.default}), name) == field.default, name
        assert describe_accepted(field) not in ("", "text"), name


def test_other_values_of_every_setting_survive_json() -> None:
    assert set(OTHER_SETTINGS) == set(FIELDS)
    config = make_config(OTHER_SETTINGS)
    assert all(getattr(config, name) != FIELDS[name].default for name in FIELDS)
    assert make_config(config.model_dump(mode="json")) == config
    text = config.model_dump_json()
    assert make_config(json.loads(text)) == config
    assert parse_json(TrainConfig, text, "config") == config


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_the_json_of_a_config(name: str) -> None:
    config = make_config({"augment": name})
    assert config.augment == PRESETS[name]
    again = make_config(json.loads(config.model_dump_json()))
    assert again == config
    assert again.augment.digest == config.augment.digest


def test_an_augmentation_is_given_as_name_json_file_table_or_object(tmp_path: Path) -> None:
    spec = preset("cutout")
    file = tmp_path / "mine.json"
    file.write_text(spec.to_json())
    for given in ("cutout", spec.to_json(), str(file), json.loads(spec.to_json()), spec):
        assert make_config({"augment": given}).augment == spec


def test_a_config_cannot_be_changed() -> None:
    config = TrainConfig()
    with pytest.raises(ValidationError):
        config.epochs = 3  # pyright: ignore[reportAttributeAccessIssue] # frozen, that is the test
    with pytest.raises(ValidationError):
        config.augment.operations = ()  # pyright: ignore[reportAttributeAccessIssue] # likewise
    assert config == TrainConfig()


def test_configs_are_equal_by_value_whatever_was_asked_of_them() -> None:
    first, second = make_config({}), make_config({})
    assert first.augment.digest
    assert first == second


def test_difference_names_the_settings_that_differ_and_each_value() -> None:
    plain = make_config({})
    assert difference([plain, plain]) == {}
    assert difference([plain]) == {}
    assert difference([]) == {}
    found = difference([plain, make_config({"lr": 0.2}), make_config({"epochs": 3, "lr": 0.2})])
    assert found == {"epochs": ["20", "20", "3"], "lr": ["0.1", "0.2", "0.2"]}
    assert list(found) == ["epochs", "lr"], "in the order of the form"


def test_difference_sees_every_setting() -> None:
    for name in FIELDS:
        found = difference([make_config({}), make_config({name: OTHER_SETTINGS[name]})])
        assert list(found) == [name]


def test_difference_sees_parameters_and_small_probabilities_of_an_augmentation() -> None:
    def with_crop(**changes: Any) -> TrainConfig:
        return make_config({"augment": {"operations": [{"name": "PadCrop", **changes}]}})

    for changed in ({"params": {"padding": 2}}, {"p": 0.999}):
        found = difference([with_crop(), with_crop(**changed)])
        assert list(found) == ["augment"]
        assert found["augment"][0] != found["augment"][1]


def test_display_values_have_every_setting_as_text() -> None:
    table = display_values(make_config({}))
    assert list(table) == list(FIELDS)
    assert table["augment"].startswith("PadCrop → HorizontalFlip (50%)")
    assert table["epochs"] == "20"


def test_light_modules_import_nothing_heavy() -> None:
    modules = ", ".join(f"cifar_core.{module}" for module in LIGHT)
    code = f"import sys, {modules}; print(*(m for m in {HEAVY} if m in sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
