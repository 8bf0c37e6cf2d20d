"""The settings of the LR test: bounds, sentences, what a form needs of them."""

import math
from typing import Any

import pytest

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.errors import ConfigError
from cifar_core.validation import bounds, choices, describe_accepted, validated


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start_lr": 0}, "start_lr = 0 is not accepted; give a number above 0 and at most 100."),
        ({"num_steps": 9}, "num_steps = 9 is not accepted; give a whole number from 10 to 1,000."),
        ({"mode": "cosine"}, "mode = 'cosine' is not accepted; give one of exp, linear."),
        ({"smoothing": 1}, "smoothing = 1 is not accepted; give a number at least 0 and below 1."),
        ({"diverge_factor": 1}, "give a number above 1 and at most 1,000."),
        ({"end_lr": math.nan}, "end_lr = nan is not accepted"),
        ({"start_lr": True}, "start_lr = True is not accepted; give a number above 0"),
        ({"seeds": 3}, "Unknown setting 'seeds'. Known: start_lr, end_lr"),
        ({"start_lr": 2, "end_lr": 2}, "end_lr = 2 is not above start_lr = 2"),
    ],
)
def test_settings_out_of_bounds_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validated(LRTestConfig, values)
    assert message in str(caught.value)


def test_settings_carry_what_a_form_needs() -> None:
    for name, field in LRTestConfig.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["group"] == "LR test"
        assert choices(field) or None not in bounds(field)
        assert describe_accepted(field)
    plain = LRTestConfig().model_dump(mode="json")
    assert validated(LRTestConfig, plain) == LRTestConfig()
    assert validated(LRTestConfig, {k: str(v) for k, v in plain.items()}) == LRTestConfig()
