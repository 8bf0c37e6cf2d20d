"""Mistakes as sentences: the value, what is accepted, the next step."""

import json

import pytest
from pydantic import BaseModel, ConfigDict, Field

from cifar_core.errors import ConfigError
from cifar_core.validation import bounds, choices, describe_accepted, parse_json, validated


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    p: float = Field(1.0, ge=0, le=1)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(1, ge=1, le=10)
    items: tuple[Inner, ...] = ()
    one: Inner = Inner(p=1.0)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"size": 11}, "size = 11 is not accepted; give a whole number from 1 to 10."),
        ({"size": "x"}, "size = 'x' is not accepted; give a whole number from 1 to 10."),
        ({"one": {"p": 2}}, "one.p = 2 is not accepted; give a number from 0 to 1."),
        ({"items": [{}, {"p": -1}]}, "items.1.p = -1 is not accepted; give a number from 0 to 1."),
        ({"items": [{"q": 1}]}, "Unknown setting 'items.0.q'. Known: p."),
        ({"sise": 1}, "Unknown setting 'sise'. Known: size, items, one."),
        ({"items": 3}, "items = 3 is not accepted; give a JSON list."),
        ({"one": 3}, "one = 3 is not accepted; give a JSON object."),
        (3, "The value = 3 is not accepted; give a JSON object."),
    ],
)
def test_each_mistake_is_a_sentence(raw: object, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Outer, raw)
    assert str(caught.value) == told


def test_several_mistakes_are_several_sentences_but_not_hundreds() -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Outer, {"size": 0, "one": {"p": 2}})
    assert str(caught.value).count("is not accepted") == 2
    with pytest.raises(ConfigError) as caught:
        validated(Outer, {"items": [{"p": 9}] * 300})
    assert str(caught.value).count("is not accepted") == 5


def test_json_is_parsed_or_named() -> None:
    assert parse_json(Outer, json.dumps({"size": 4}), "file") == Outer(size=4)
    with pytest.raises(ConfigError, match=r"The recipe is not valid JSON .*Export it again"):
        parse_json(Outer, "{", "recipe")


def test_bounds_and_choices_are_those_of_the_field() -> None:
    assert bounds(Outer.model_fields["size"]) == (1, 10)
    assert bounds(Outer.model_fields["items"]) == (None, None)
    assert choices(Outer.model_fields["size"]) == ()
    assert describe_accepted(Outer.model_fields["size"]) == "a whole number from 1 to 10"
