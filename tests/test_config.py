"""The settings of a run: bounds, sentences, JSON, and what importing them costs."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError

from cifar_core.augment import PRESETS, AugmentSpec, preset
from cifar_core.config import (
    GROUPS,
    TrainConfig,
    difference,
    make_config,
    shown,
)
from cifar_core.errors import ConfigError
from cifar_core.fields import bounds, choices, describe_accepted, parse_json
from cifar_core.models import MODELS

FIELDS = TrainConfig.model_fields
LIGHT = ("config", "runs", "changes", "launch", "records", "plots", "checkpoint", "recipes")
HEAVY = ("torch", "torchvision", "albumentations", "streamlit", "cv2", "pyarrow")
# A value other than the default of each setting.
OTHER: dict[str, Any] = {
    "data": "shapes10",
    "train_size": 1000,
    "val_size": 0,
    "model": "sepnet_v1",
    "augment": preset("strong"),
    "epochs": 7,
    "batch_size": 96,
    "optimizer": "adamw",
    "lr": 0.0123,
    "momentum": 0.0,
    "weight_decay": 1e-3,
    "l1": 1e-5,
    "label_smoothing": 0.1,
    "ema": 0.999,
    "schedule": "cosine",
    "pct_start": 0.2,
    "step_epochs": 3,
    "gamma": 0.5,
    "device": "cuda:1",
    "precision": "fp32",
    "memory_format": "contiguous",
    "num_workers": 0,
    "seed": 2**31 - 1,
    "tensorboard": True,
}


def numeric_bounds() -> list[tuple[str, float, float]]:
    """For each bound of each number: the field, the last value inside, the first outside."""
    cases: list[tuple[str, float, float]] = []
    for name, field in FIELDS.items():
        whole = field.annotation is int
        for rule in field.metadata:
            limit = getattr(rule, type(rule).__name__.lower(), None)
            if limit is None:
                continue
            direction = 1 if isinstance(rule, (Le, Lt)) else -1
            beyond = limit + direction if whole else math.nextafter(limit, direction * math.inf)
            before = limit - direction if whole else math.nextafter(limit, -direction * math.inf)
            if isinstance(rule, (Gt, Lt)):
                cases.append((name, before, limit))
            elif isinstance(rule, (Ge, Le)):
                cases.append((name, limit, beyond))
    return cases


def refusal(values: object) -> str:
    """The sentence with which values are refused."""
    with pytest.raises(ConfigError) as caught:
        make_config(values)  # pyright: ignore[reportArgumentType] # wrong kinds are the test
    return str(caught.value)


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_explains_itself_and_has_a_valid_default(name: str) -> None:
    field = FIELDS[name]
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    assert extra["group"] in GROUPS
    assert field.description
    assert field.description.endswith(".")
    assert getattr(make_config({name: field.default}), name) == field.default
    assert describe_accepted(field)


def test_every_number_has_both_bounds() -> None:
    numbers = [name for name, field in FIELDS.items() if field.annotation in (int, float)]
    assert all(None not in bounds(FIELDS[name]) for name in numbers)
    assert len(numeric_bounds()) == 2 * len(numbers)


@pytest.mark.parametrize(("name", "inside", "outside"), numeric_bounds())
def test_a_bound_takes_what_is_just_inside_and_refuses_what_is_just_outside(
    name: str, inside: float, outside: float
) -> None:
    assert getattr(make_config({name: inside}), name) == inside
    sentence = refusal({name: outside})
    assert f"{name} = {outside!r}" in sentence
    assert describe_accepted(FIELDS[name]) in sentence


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.annotation in (int, float)])
def test_numbers_that_are_none_are_refused(name: str, value: float) -> None:
    assert name in refusal({name: value})


def test_bounds_are_told_exactly() -> None:
    sentence = refusal({"seed": 2**31})
    assert "2147483647" in sentence.replace(",", "")
    assert "1000000" in refusal({"train_size": 1_000_001}).replace(",", "")


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if choices(f)])
def test_words_are_refused_with_those_that_are_accepted(name: str) -> None:
    sentence = refusal({name: "nonsense"})
    assert "'nonsense'" in sentence
    assert all(word in sentence for word in choices(FIELDS[name]))
    for word in choices(FIELDS[name]):
        assert getattr(make_config({name: word}), name) == word


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_devices_taken(device: str) -> None:
    assert make_config({"device": device}).device == device


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:-1", "CPU", "mps", "cuda:0\n"])
def test_devices_refused(device: str) -> None:
    sentence = refusal({"device": device})
    assert repr(device) in sentence
    assert "auto, cpu, cuda or cuda:N" in sentence


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    sentence = refusal({"learning_rate": 0.1})
    assert "'learning_rate'" in sentence
    assert all(name in sentence for name in FIELDS)


def test_an_unknown_model_is_refused_with_the_available_ones() -> None:
    sentence = refusal({"model": "resnet19"})
    assert "'resnet19'" in sentence
    assert all(name in sentence for name in MODELS)


def test_several_mistakes_are_told_at_once() -> None:
    sentence = refusal({"epochs": -1, "batch_size": 0})
    assert "epochs = -1" in sentence
    assert "batch_size = 0" in sentence


def test_an_empty_data_name_is_refused_saying_what_is_missing() -> None:
    assert "data = ''" in refusal({"data": ""})


@pytest.mark.parametrize(
    "values",
    [
        [],
        None,
        "text",
        {"model": []},
        {"model": {}},
        {"model": None},
        {"augment": 3},
        {"augment": []},
        {"augment": {"operations": 3}},
        {"augment": {"operations": ["PadCrop"]}},
        {"augment": {"operations": [{"name": []}]}},
        {"augment": {"operations": [{"name": "PadCrop", "params": {"padding": math.inf}}]}},
        {"augment": {"operations": [{"name": "PadCrop", "params": {"mode": []}}]}},
        {"epochs": None},
        {"epochs": []},
        {"epochs": 1.5},
        {"tensorboard": "maybe"},
        {"data": 5},
    ],
)
def test_values_of_the_wrong_kind_get_a_sentence_too(values: object) -> None:
    sentence = refusal(values)
    assert sentence.endswith(".")
    assert "Input should" not in sentence


def test_mistakes_inside_an_augmentation_are_told_in_its_own_terms() -> None:
    sentence = refusal({"augment": {"operations": [{"name": "PadCrop", "p": 2}]}})
    assert "0 to 1" in sentence
    sentence = refusal({"augment": {"operations": [{"name": "PadCrop", "bogus": 1}]}})
    assert "params" in sentence
    assert "weight_decay" not in sentence


def test_other_values_of_every_setting_survive_json() -> None:
    assert set(OTHER) == set(FIELDS)
    config = make_config(OTHER)
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


def test_an_unknown_augmentation_is_refused_with_the_presets(tmp_path: Path) -> None:
    sentence = refusal({"augment": "nothing_such"})
    assert "'nothing_such'" in sentence
    assert all(name in sentence for name in PRESETS)
    missing = tmp_path / "missing.json"
    assert str(missing) in refusal({"augment": str(missing)})
    assert "not valid JSON" in refusal({"augment": "{"})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigError):
        AugmentSpec.from_text(str(file))


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "nonsense"])
def test_json_that_is_none_is_refused_naming_what_it_should_be(text: str) -> None:
    with pytest.raises(ConfigError, match=r"The settings is not valid JSON \(.+\)\. "):
        parse_json(TrainConfig, text, "settings")


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


@pytest.mark.parametrize("name", FIELDS)
def test_difference_sees_every_setting(name: str) -> None:
    found = difference([make_config({}), make_config({name: OTHER[name]})])
    assert list(found) == [name]


def test_difference_sees_parameters_and_small_probabilities_of_an_augmentation() -> None:
    def with_crop(**changes: Any) -> TrainConfig:
        return make_config({"augment": {"operations": [{"name": "PadCrop", **changes}]}})

    for changed in ({"params": {"padding": 2}}, {"p": 0.999}):
        found = difference([with_crop(), with_crop(**changed)])
        assert list(found) == ["augment"]
        assert found["augment"][0] != found["augment"][1]


def test_shown_has_every_setting_as_text() -> None:
    table = shown(make_config({}))
    assert list(table) == list(FIELDS)
    assert table["augment"].startswith("PadCrop → HorizontalFlip (50%)")
    assert table["epochs"] == "20"


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, cifar_core.{module}; print(*(m for m in {HEAVY} if m in sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert found == []
