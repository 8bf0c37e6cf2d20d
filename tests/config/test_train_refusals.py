"""Which values the settings of a run take, and the sentences with which they refuse others."""

import math
from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le, Lt

from cifar_core.augment import PRESETS, spec_from_text
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import ConfigError
from cifar_core.models import MODELS
from cifar_core.validation import bounds, choices, describe_accepted, parse_json

FIELDS = TrainConfig.model_fields


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
    try:
        make_config(values)  # pyright: ignore[reportArgumentType] # wrong types are the test
    except ConfigError as error:
        return str(error)
    pytest.fail(f"accepted: {values}")


def test_every_number_has_both_bounds() -> None:
    numbers = [name for name, field in FIELDS.items() if field.annotation in (int, float)]
    assert all(None not in bounds(FIELDS[name]) for name in numbers)
    assert len(numeric_bounds()) == 2 * len(numbers)


def test_a_bound_takes_what_is_just_inside_and_refuses_what_is_just_outside() -> None:
    for name, inside, outside in numeric_bounds():
        assert getattr(make_config({name: inside}), name) == inside, name
        sentence = refusal({name: outside})
        assert f"{name} = {outside!r}" in sentence
        assert describe_accepted(FIELDS[name]) in sentence


def test_bools_and_numbers_that_are_not_finite_are_refused() -> None:
    for name in [n for n, f in FIELDS.items() if f.annotation in (int, float)]:
        for value in (math.nan, math.inf, -math.inf, True, False):
            assert f"{name} = {value!r} is not accepted" in refusal({name: value})


def test_bounds_are_told_exactly() -> None:
    sentence = refusal({"seed": 2**31})
    assert "2147483647" in sentence.replace(",", "")
    assert "1000000" in refusal({"train_size": 1_000_001}).replace(",", "")


def test_words_are_refused_with_those_that_are_accepted() -> None:
    for name in [n for n, f in FIELDS.items() if choices(f)]:
        sentence = refusal({name: "nonsense"})
        assert f"{name} = 'nonsense'" in sentence
        assert all(word in sentence for word in choices(FIELDS[name])), sentence
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
        spec_from_text(str(file))


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "nonsense"])
def test_json_that_is_none_is_refused_naming_what_it_should_be(text: str) -> None:
    with pytest.raises(ConfigError, match=r"The settings is not valid JSON \(.+\)\. "):
        parse_json(TrainConfig, text, "settings")
