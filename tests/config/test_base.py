"""What all settings have in common, seen at settings of the test's own."""

from typing import Any, Literal

import pytest
from pydantic import ValidationError

from cifar_core.config.base import Settings, setting
from cifar_core.errors import ConfigError
from cifar_core.validation import describe_accepted, validated


class Small(Settings):
    count: int = setting(3, "Numbers", "How many.", ge=1, le=2000, step=5)
    share: float = setting(0.5, "Numbers", "How much.", gt=0, lt=1)
    flag: bool = setting(False, "Other", "Whether.")
    kind: Literal["a", "b"] = setting("a", "Other", "Which.")
    place: str = setting("", "Other", "Where.", accepted="a folder")


def test_a_setting_says_all_that_a_form_needs() -> None:
    field = Small.model_fields["count"]
    assert field.description == "How many."
    assert field.json_schema_extra == {"group": "Numbers", "step": 5, "accepted": ""}
    assert {name: describe_accepted(field) for name, field in Small.model_fields.items()} == {
        "count": "a whole number from 1 to 2,000",
        "share": "a number above 0 and below 1",
        "flag": "true or false",
        "kind": "one of a, b",
        "place": "a folder",
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"count": True}, "count = True is not accepted; give a whole number from 1 to 2,000."),
        ({"share": False}, "share = False is not accepted; give a number above 0 and below 1."),
        ({"count": 0}, "count = 0 is not accepted; give a whole number from 1 to 2,000."),
        ({"share": float("nan")}, "share = nan is not accepted; give a number above"),
        ({"share": float("inf")}, "share = inf is not accepted; give a number above"),
        ({"kind": "c"}, "kind = 'c' is not accepted; give one of a, b."),
        ({"more": 1}, "Unknown setting 'more'. Known: count, share, flag, kind, place."),
    ],
)
def test_what_is_not_accepted_is_named_with_what_is(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Small, changes)
    assert str(caught.value).startswith(told)


def test_numbers_as_text_are_numbers_and_nothing_can_be_changed() -> None:
    small = validated(Small, {"count": "7", "share": "0.25", "flag": "true"})
    assert (small.count, small.share, small.flag) == (7, 0.25, True)
    with pytest.raises(ValidationError):
        small.count = 8  # pyright: ignore[reportAttributeAccessIssue] # frozen, that is the test
