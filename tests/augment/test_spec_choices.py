"""OneOf and SomeOf, and what albumentations would silently ignore: accepted, or one sentence."""

from typing import Any

import pytest

from cifar_core.augment import AugmentSpec
from tests.augment.test_spec import refusal, spec_of

FLIP, GRAY = {"name": "HorizontalFlip"}, {"name": "ToGray", "p": 0.3}


def test_a_choice_holds_operations_and_is_one_with_its_json() -> None:
    spec = spec_of({"name": "OneOf", "p": 0.5, "operations": [FLIP, GRAY]}, {"name": "PadCrop"})
    assert str(spec) == "OneOf[HorizontalFlip (50%), ToGray (30%)] (50%) → PadCrop"
    assert AugmentSpec.from_json(spec.to_json()) == spec
    assert not spec.batched
    other = spec_of({"name": "OneOf", "p": 0.5, "operations": [GRAY, FLIP]}, {"name": "PadCrop"})
    assert other.digest != spec.digest


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"name": "OneOf"}, "OneOf has 0 operations; give 1 to 8"),
        ({"name": "OneOf", "operations": [FLIP] * 9}, "OneOf has 9 operations; give 1 to 8"),
        ({"name": "OneOf", "operations": [{**FLIP, "p": 0}]}, "All operations of OneOf have p = 0"),
        ({"name": "SomeOf", "params": {"n": 3}, "operations": [FLIP, GRAY]}, "choose n = 3 of 2"),
        ({"name": "SomeOf", "operations": [{"name": "MixUp"}]}, "MixUp cannot be inside SomeOf"),
        (
            {"name": "OneOf", "operations": [{"name": "SomeOf", "operations": [FLIP]}]},
            "SomeOf cannot be inside OneOf",
        ),
        ({**FLIP, "operations": [GRAY]}, "HorizontalFlip cannot contain operations"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(operation: dict[str, Any], told: str) -> None:
    assert told in refusal(operation)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (
            {"name": "CoarseDropout", "params": {"max_holes": 1}},
            "was renamed: give num_holes_range",
        ),
        ({"name": "CoarseDropout", "params": {"fill_value": 0}}, "was renamed: give fill"),
        ({"name": "Affine", "params": {"shift_limit": 0.1}}, "give translate_px of Affine"),
        (
            {"name": "CoarseDropout", "params": {"fill": [0.49, 0.48, 0.45]}},
            "give [125, 122, 115] on the scale 0 to 255",
        ),
        ({"name": "CoarseDropout", "params": {"fill": 3}}, "not a color such as [125, 123, 114]"),
        ({"name": "Blur", "params": {"blur_limit": [3, 4]}}, "lur_limit = 4 is even"),
        ({"name": "ShiftScaleRotate"}, "give Affine with translate_px"),
        ({"name": "Normalize"}, "always normalized"),
    ],
)
def test_what_the_library_would_ignore_is_refused_with_the_right_form(
    operation: dict[str, Any], told: str
) -> None:
    assert told in refusal(operation)
