"""Estimated time of slow maps."""

import pytest

from cifar_core.explain.cost import cost_s, forward_s
from cifar_core.explain.layers import TargetLayer
from cifar_core.explain.methods import METHODS
from tests.builders import quick_model


def test_slow_methods_need_a_pass_for_each_channel_and_image() -> None:
    layer = TargetLayer("layer1", 64, 8, 8, True)
    for name, method in METHODS.items():
        expected = 64 * 3 * 0.01 if method.slow else 0
        assert cost_s(name, layer, 3, 0.01) == pytest.approx(expected), name


def test_a_forward_pass_takes_some_time() -> None:
    assert 0 < forward_s(quick_model(), num_images=2) < 10
