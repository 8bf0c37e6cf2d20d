"""Target classes of maps, by hand."""

import numpy as np
import pytest

from cifar_core.errors import ConfigError
from cifar_core.explain.targets import find_class, target_classes, target_label, topk_classes
from tests.explain.test_maps import CLASSES, by_hand


def test_a_class_is_found_by_name_or_number() -> None:
    for number, name in enumerate(CLASSES):
        assert find_class(CLASSES, name) == find_class(CLASSES, str(number)) == number
    assert find_class(("1", "0"), "1") == 0  # a name comes before a number


def test_an_unknown_class_is_refused_with_those_available() -> None:
    for text in ("3", "-1", "1.0", "dog", "Ant", "", " ant", "²", "nan"):
        with pytest.raises(ConfigError) as caught:
            find_class(CLASSES, text)
        assert str(caught.value) == (
            f"There is no class {text!r}. Give 0 to 2, or one of: ant, bee, cat."
        )


def test_images_are_asked_about_what_was_predicted_what_is_true_or_one_class() -> None:
    predictions = by_hand()
    assert target_classes(predictions, [0, 1, 3], "predicted") == [0, 1, 2]
    assert target_classes(predictions, [4, 1, 2], "true") == [1, 0, 2]
    assert (
        target_classes(predictions, [4, 1, 2], "cat")
        == target_classes(predictions, [4, 1, 2], "2")
        == [2, 2, 2]
    )
    for target in ("3", "dog"):
        with pytest.raises(ConfigError, match=f"no class '{target}'"):
            target_classes(predictions, [0], target)


def test_the_most_probable_come_first_and_ties_in_order() -> None:
    assert topk_classes(np.array([0.1, 0.3, 0.1, 0.5])) == [3, 1, 0, 2]
    assert topk_classes(np.array([0.25, 0.25, 0.25, 0.25]), 3) == [0, 1, 2]


def test_the_difference_is_predicted_minus_true_or_the_next_class() -> None:
    targets = target_classes(by_hand(), [0, 1], "difference")
    assert targets == [(0, 1), (1, 0)]
    assert [target_label(CLASSES, target) for target in [2, *targets]] == [
        "cat",
        "ant minus bee",
        "bee minus ant",
    ]
