"""`AugmentSpec`: equal specs are equal JSON and have one hash; mistakes get a sentence."""

import hashlib
import itertools
import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from cifar_core.augment import (
    CATALOG,
    PRESETS,
    AugmentSpec,
    Operation,
    Param,
    preset,
    spec_from_text,
)
from cifar_core.errors import ConfigError


def spec_of(*operations: dict[str, Any]) -> AugmentSpec:
    return AugmentSpec.from_json(json.dumps({"operations": operations}))


def refusal(*operations: dict[str, Any]) -> str:
    """The sentence with which operations are refused."""
    try:
        spec_of(*operations)
    except ConfigError as error:
        return str(error)
    pytest.fail(f"accepted: {operations}")


def is_number(param: Param) -> bool:
    """Whether it takes numbers, not words or a switch."""
    return not param.choices and not isinstance(param.default, bool)


PLAIN = [name for name, transform in CATALOG.items() if not transform.holds]
NUMBERS = [(name, param) for name in PLAIN for param in CATALOG[name].params if is_number(param)]


def as_given(param: Param, number: float) -> Any:
    """A number as that parameter takes it: alone, as a range of one value, as a gray."""
    return [number] * len(param.default) if isinstance(param.default, tuple) else number


def test_short_and_long_forms_have_one_hash() -> None:
    for name in PLAIN:
        short, transform = spec_of({"name": name}), CATALOG[name]
        params = {param.name: param.default for param in transform.params}
        long = spec_of({"name": name, "p": transform.p, "params": params})
        assert short == long, name
        assert short.digest == long.digest, name
        backwards = dict(reversed(params.items()))
        assert spec_of({"params": backwards, "name": name}).digest == short.digest, name
        assert short.operations[0] == Operation(name=name), name


def test_whole_numbers_with_and_without_a_point_have_one_hash() -> None:
    assert (
        spec_of({"name": "PadCrop", "p": 1, "params": {"padding": 4}}).digest
        == spec_of({"name": "PadCrop", "p": 1.0, "params": {"padding": 4.0}}).digest
    )
    assert (
        spec_of({"name": "Affine", "params": {"rotate": [-15, 15], "scale": [1, 1]}}).digest
        == spec_of({"name": "Affine", "params": {"rotate": [-15.0, 15.0], "scale": [1.0, 1.0]}})
        .digest
    )  # fmt: skip
    assert (
        spec_of({"name": "Posterize", "params": {"num_bits": [4.0, 6]}}).digest
        == spec_of({"name": "Posterize", "params": {"num_bits": [4, 6]}}).digest
    )


def test_order_value_and_probability_change_the_hash() -> None:
    crop, flip = {"name": "PadCrop"}, {"name": "HorizontalFlip"}
    digests = [
        spec_of(crop, flip).digest,
        spec_of(flip, crop).digest,
        spec_of(crop).digest,
        spec_of({**crop, "p": 0.5}).digest,
        spec_of({**crop, "params": {"padding": 2}}).digest,
        spec_of().digest,
    ]
    assert len(set(digests)) == len(digests)


def test_the_hash_is_of_canonical_json_and_stays() -> None:
    spec = preset("standard")
    assert spec.to_json() == (
        '{"operations":[{"name":"PadCrop","p":1.0,"params":{"mode":"constant","padding":4}},'
        '{"name":"HorizontalFlip","p":0.5,"params":{}}]}'
    )
    # Runs record it: a change makes every old run look as if it had been augmented differently.
    assert spec.digest == hashlib.sha256(spec.to_json().encode()).hexdigest()


@pytest.mark.parametrize("name", PRESETS)
def test_json_out_and_in_is_the_same_spec(name: str) -> None:
    spec = preset(name)
    for again in (
        AugmentSpec.from_json(spec.to_json()),
        AugmentSpec.from_json(json.dumps(json.loads(spec.to_json()), indent=2)),
        AugmentSpec.model_validate(spec.model_dump()),
        AugmentSpec.model_validate_json(spec.model_dump_json()),
    ):
        assert again == spec
        assert again.digest == spec.digest
    assert spec_from_text(name) is spec
    assert spec_from_text(f"  {spec.to_json()}") == spec


def test_presets_differ() -> None:
    assert len({spec.digest for spec in PRESETS.values()}) == len(PRESETS)


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        preset("none").operations = ()  # pyright: ignore[reportAttributeAccessIssue] # the test


def test_an_unknown_operation_is_refused_with_the_available_ones() -> None:
    sentence = refusal({"name": "Rotate90"})
    assert "'Rotate90'" in sentence
    assert all(name in sentence for name in CATALOG)


def test_an_unknown_parameter_is_refused_with_the_available_ones() -> None:
    for name in PLAIN:
        sentence = refusal({"name": name, "params": {"bogus": 1}})
        assert f"{name} has no parameter 'bogus'" in sentence
        assert all(param.name in sentence for param in CATALOG[name].params), sentence


def test_bounds_are_accepted_and_values_just_outside_are_refused() -> None:
    for name, param in NUMBERS:
        for limit, direction in ((param.low, -1), (param.high, 1)):
            if param.apart:
                sentence = refusal({"name": name, "params": {param.name: [limit, limit]}})
                assert "has equal ends" in sentence
            else:
                spec_of({"name": name, "params": {param.name: as_given(param, limit)}})
            step = direction * math.inf
            beyond = limit + direction if param.whole else math.nextafter(limit, step)
            sentence = refusal({"name": name, "params": {param.name: as_given(param, beyond)}})
            expected = (
                f"{param.name} = {beyond} is out of bounds; give {param.low:g} to {param.high:g}"
            )
            assert expected.lower() in sentence.lower(), name


def test_values_of_the_wrong_type_are_refused() -> None:
    wrong_values = ["4", True, None, [], {}, [1], [1, 2, 3], math.nan, math.inf]
    for (name, param), wrong in itertools.product(NUMBERS, wrong_values):
        if wrong == [1, 2, 3] and param.name == "fill":
            continue  # a color
        sentence = refusal({"name": name, "params": {param.name: wrong}})
        starts = (f"{param.name} = {wrong!r} is", f"{param.name} = {wrong} is")
        assert sentence.lower().startswith(tuple(text.lower() for text in starts)), name


def test_a_number_is_not_accepted_as_a_range_nor_a_range_as_a_number() -> None:
    for name, param in NUMBERS:
        pair = isinstance(param.default, tuple)
        wrong = param.high if pair else [param.low, param.high]
        refusal({"name": name, "params": {param.name: wrong}})
        if pair and param.name != "fill":
            reversed_range = {param.name: [param.high, param.low]}
            sentence = refusal({"name": name, "params": reversed_range})
            assert "has its larger end first" in sentence, name


def test_a_broken_whole_number_is_refused() -> None:
    assert "4.5 is not a whole number" in refusal({"name": "PadCrop", "params": {"padding": 4.5}})


@pytest.mark.parametrize("word", ["mirror", 3, None, [], {}])
def test_other_words_are_refused_with_the_accepted_ones(word: object) -> None:
    sentence = refusal({"name": "PadCrop", "params": {"mode": word}})
    assert f"{word!r} is not one of constant, reflect" in sentence


@pytest.mark.parametrize("p", [-0.01, 1.01, math.nan, math.inf, "often", "0.5", True, None, []])
def test_probabilities_outside_0_to_1_are_refused(p: object) -> None:
    sentence = refusal({"name": "HorizontalFlip", "p": p})
    assert f"{p!r}" in sentence
    assert "0 to 1" in sentence


@pytest.mark.parametrize("value", [1, 0, "true", None, []])
def test_a_switch_takes_true_and_false_alone(value: object) -> None:
    sentence = refusal({"name": "Affine", "params": {"keep_ratio": value}})
    assert f"eep_ratio = {value!r} is not true or false" in sentence


def test_a_spec_with_former_parameters_keeps_them_and_its_hash() -> None:
    """Affine shifted by fractions before; runs and files have such specs."""
    former = {"rotate": [-15.0, 15.0], "scale": [0.9, 1.1], "translate_percent": [-0.0625, 0.0625]}
    spec = spec_of({"name": "Affine", "p": 0.5, "params": former})
    assert json.loads(spec.to_json())["operations"][0]["params"] == former
    assert spec.digest.startswith("04c588cf504e")
    short = {"name": "Affine", "p": 0.5, "params": {"translate_percent": [-0.0625, 0.0625]}}
    assert spec_of(short) == spec
    today = {"translate_percent": [0, 0.1], "keep_ratio": True}
    assert "has no parameter 'keep_ratio'" in refusal({"name": "Affine", "params": today})


@pytest.mark.parametrize("params", [[], "padding", 4, None])
def test_parameters_that_are_no_table_are_refused(params: object) -> None:
    assert "PadCrop" in refusal({"name": "PadCrop", "params": params})


@pytest.mark.parametrize(
    "text",
    ["{}x", "[]", "3", '{"ops":[]}', '{"operations":{}}', '{"operations":[3]}', '{"operations":3}'],
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        AugmentSpec.from_json(text)
    assert "give text" not in str(caught.value)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_what_mixes_whole_batches_comes_last(name: str) -> None:
    spec_of({"name": "PadCrop"}, {"name": name})
    sentence = refusal({"name": name}, {"name": "PadCrop"})
    assert f"{name} works on whole batches and must come last" in sentence


def test_what_mixes_stands_once_and_probabilities_add_up_to_1_at_most() -> None:
    assert "once" in refusal({"name": "MixUp", "p": 0.2}, {"name": "MixUp", "p": 0.2})
    assert "add up to more than 1" in refusal(
        {"name": "MixUp", "p": 0.6}, {"name": "CutMix", "p": 0.5}
    )
    both = spec_of({"name": "CutMix", "p": 0.3}, {"name": "MixUp", "p": 0.7})
    assert [op.name for op in both.mixing] == ["CutMix", "MixUp"]
    rounded = spec_of({"name": "CutMix", "p": 0.5}, {"name": "MixUp", "p": 0.5 + 3e-16})
    assert sum(op.p for op in rounded.mixing) > 1, "rounding is not held against anybody"


def test_pixel_operations_may_stand_more_than_once() -> None:
    spec = spec_of({"name": "Cutout"}, {"name": "Cutout", "params": {"size": 4}})
    assert len(spec.pixel) == 2
    assert spec.mixing == ()


def test_a_spec_reads_as_its_steps() -> None:
    assert str(preset("none")) == "none"
    assert str(preset("standard")) == "PadCrop → HorizontalFlip (50%)"
    assert str(spec_of({"name": "MixUp", "p": 1})) == "MixUp"


def test_a_spec_is_batched_if_every_operation_has_a_kernel() -> None:
    kernels = {"PadCrop", "HorizontalFlip", "Cutout", "MixUp", "CutMix"}
    for name in PLAIN:
        assert spec_of({"name": name}).batched == (name in kernels)
        assert spec_of({"name": "PadCrop"}, {"name": name}).batched == (name in kernels)
    assert spec_of().batched
    assert {name for name in PRESETS if preset(name).batched} == {
        "none",
        "standard",
        "fast",
        "cutout",
        "s8_resnet18",
        "s11_resnet18",
    }
