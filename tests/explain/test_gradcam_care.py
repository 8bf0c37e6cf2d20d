"""Making maps changes nothing, and nothing around the call changes the maps."""

import copy
import gc
import threading
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import torch.nn.functional as F

from cifar_core.explain.gradcam import CamMaps, cam_maps
from cifar_core.explain.methods import METHODS
from cifar_core.models import create_model
from tests.builders import quick_model, single_thread, smooth_noise, trained_model

every_method = pytest.mark.parametrize("method", METHODS)
one_thread = pytest.fixture(single_thread, autouse=True)


@every_method
@pytest.mark.parametrize("training", [True, False])
def test_model_gradients_and_images_stay_untouched(method: str, training: bool) -> None:
    model = create_model("sepnet_v1").train(training)
    frozen = next(model.parameters()).requires_grad_(False)
    F.cross_entropy(model(smooth_noise(4)), torch.arange(4)).backward()
    images = smooth_noise(2).requires_grad_()
    before = copy.deepcopy(model.state_dict())
    gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    cam_maps(model, images, "layer3.0", [0, 1], method)
    assert all(module.training == training for module in model.modules())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert [p.requires_grad for p in model.parameters()].count(False) == 1
    assert frozen.grad is None
    for p, gradient in zip(model.parameters(), gradients, strict=True):
        assert (p.grad is None) == (gradient is None)
        assert gradient is None or p.grad is None or torch.equal(p.grad, gradient)
    assert images.grad is None
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())


@every_method
def test_training_mode_and_frozen_weights_make_no_difference(method: str) -> None:
    model, images = trained_model("sepnet_v1"), smooth_noise(2)
    expected = cam_maps(model, images, "layer2.6", [3, 4], method)
    model.train().requires_grad_(False)
    found = cam_maps(model, images, "layer2.6", [3, 4], method)
    assert np.array_equal(found.maps, expected.maps)


@every_method
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_makes_no_difference(mode: Any, method: str) -> None:
    expected = cam_maps(quick_model(), smooth_noise(2), "relu", [3, 4], method)
    with mode():
        # Made inside, the weights and images of inference mode may enter no graph themselves.
        found = cam_maps(quick_model(), smooth_noise(2), "relu", [3, 4], method)
        assert not torch.is_grad_enabled()
    assert np.array_equal(found.maps, expected.maps)


def test_autocast_around_the_call_changes_nothing() -> None:
    expected = cam_maps(quick_model(), smooth_noise(2), "bn", [3, 4])
    with torch.autocast("cpu", torch.bfloat16):
        found = cam_maps(quick_model(), smooth_noise(2), "bn", [3, 4])
    assert np.array_equal(found.maps, expected.maps)


def test_weights_in_half_precision_are_computed_in_full() -> None:
    half = quick_model().bfloat16()
    found = cam_maps(half, smooth_noise(2), "bn", [3, 4])
    assert np.array_equal(found.maps, cam_maps(half.float(), smooth_noise(2), "bn", [3, 4]).maps)


def test_threads_that_share_a_model_do_not_meet() -> None:
    model, images = trained_model("convnet"), smooth_noise(4)
    jobs = [("layer5", [0, 1, 2, 3], "GradCAM"), ("layer2", [4, 5, 6, 7], "LayerCAM")]
    expected = [cam_maps(model, images, *job) for job in jobs]
    found: list[list[CamMaps]] = [[], []]

    def repeat(index: int) -> None:
        for _ in range(5):
            found[index].append(cam_maps(model, images, *jobs[index]))

    threads = [threading.Thread(target=repeat, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for index in (0, 1):
        assert len(found[index]) == 5
        for each in found[index]:
            assert np.array_equal(each.maps, expected[index].maps)


def test_a_thousand_maps_take_no_memory_with_them() -> None:
    model, images, process = create_model("convnet"), smooth_noise(8), psutil.Process()

    def hundred() -> int:
        for _ in range(13):
            cam_maps(model, images, "layer2", [0] * 8)
        gc.collect()
        return process.memory_info().rss

    hundred()  # the first calls fill caches
    before, *_, after = [hundred() for _ in range(10)]
    assert after - before < 20e6
