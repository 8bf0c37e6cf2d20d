"""Maps equal the library's own, computed by hand or its plain way, and nothing else changes."""

import copy
import gc
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from cifar_core.errors import ConfigError
from cifar_core.gradcam import METHODS, CamMaps, Floats, cam_maps, heat, overlay
from cifar_core.layers import list_layers
from cifar_core.models import create_model, list_models

every_method = pytest.mark.parametrize("method", METHODS)
LAYERS = {
    "convnet": ["stem", "layer2", "layer5", "layer3.bn"],
    "speednet": ["whiten", "layer1", "layer3"],
    "sepnet_v1": ["layer1.8", "layer2.6", "layer3.0", "head"],
    "resnet18": ["layer2.0", "layer3.1", "layer4.1"],
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Batches this small gain nothing from a second thread, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1, "blas"):
        yield
    torch.set_num_threads(before)


def noise(count: int, seed: int = 0) -> Tensor:
    """(N, 3, 32, 32) float32, smooth as photos are, plus a little noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 8, 8, generator=generator)
    fine = torch.randn(count, 3, 32, 32, generator=generator)
    return F.interpolate(coarse, size=32, mode="bilinear") + 0.3 * fine


def trained(name: str) -> nn.Module:
    """The model after three steps, so that no weight or statistic is the initial one."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model(name).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
        for step in range(3):
            loss = F.cross_entropy(model(noise(16, seed=step)), torch.arange(16) % 10)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def plainly(
    model: nn.Module, images: Tensor, layer: str, classes: list[int], method: str
) -> Floats:
    """One image at a time, as the library's README shows."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model = copy.deepcopy(model)
    kind: Any = getattr(pytorch_grad_cam, METHODS[method].library)
    maps = []
    with kind(model=model, target_layers=[model.get_submodule(layer)]) as cam:
        for image, number in zip(images, classes, strict=True):
            maps.append(cam(input_tensor=image[None], targets=[ClassifierOutputTarget(number)])[0])
    return np.stack(maps)


class Linear(nn.Module):
    """The class activation map's own network: convolution, mean over space, linear layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.fc = nn.Linear(4, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).mean(dim=(2, 3)))


class InPlace(nn.Module):
    """Batch norm whose output is changed in place twice, unless told otherwise."""

    def __init__(self, in_place: bool):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=in_place)
        self.fc = nn.Linear(8, 10)
        self.in_place = in_place

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        out = self.bn(x)
        if self.in_place:
            out += x
        else:
            out = out + x
        return self.fc(self.relu(out).square().mean(dim=(2, 3)))


def quick() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return InPlace(in_place=False).eval()


# The maps themselves


@pytest.mark.parametrize("method", ["GradCAM", "HiResCAM"])
def test_the_map_of_a_linear_model_is_the_one_computed_by_hand(method: str) -> None:
    torch.manual_seed(0)
    model, images, classes = Linear(), noise(3), [2, 7, 2]
    found = cam_maps(model, images, "conv", classes, method)
    with torch.no_grad():
        activations = model.conv(images)
        weights = model.fc.weight[classes] / (32 * 32)  # the gradient of a mean
        raw = (weights[:, :, None, None] * activations).sum(dim=1).clamp(min=0)
    low, high = raw.amin(dim=(1, 2)), raw.amax(dim=(1, 2))
    stretched = (raw - low[:, None, None]) / (high - low)[:, None, None]
    np.testing.assert_allclose(found.peaks, high.numpy(), rtol=1e-5)
    np.testing.assert_allclose(found.maps, stretched.numpy(), atol=1e-3)
    assert found.grid == (32, 32)


@pytest.mark.parametrize("name", LAYERS)
def test_maps_are_those_of_the_library_used_plainly(name: str) -> None:
    model, images, classes = trained(name), noise(3, seed=9), [0, 4, 9]
    compared = 0
    for layer in LAYERS[name]:
        for method in METHODS:
            found = cam_maps(model, images, layer, classes, method)
            plain = plainly(model, images, layer, classes, method)
            sure = found.peaks > 1e-3
            compared += int(sure.sum())
            np.testing.assert_allclose(
                found.maps[sure], plain[sure], atol=1e-4, err_msg=f"{layer} {method}"
            )
    assert compared > 10


@pytest.mark.parametrize("name", list_models())
def test_every_offered_layer_and_method_gives_maps_of_the_right_size(name: str) -> None:
    model, images = create_model(name), noise(2)
    for layer in (found for found in list_layers(model) if found.offered):
        for method in METHODS:
            found = cam_maps(model, images, layer.name, [3, 5], method)
            where = f"{layer.name} {method}"
            assert found.maps.shape == (2, 32, 32), where
            assert found.maps.dtype == found.peaks.dtype == np.float32, where
            assert found.maps.min() >= 0, where
            assert found.maps.max() <= 1, where
            assert (found.peaks >= 0).all(), where
            assert found.grid == (layer.height, layer.width), where


@every_method
def test_a_batch_equals_one_by_one(method: str) -> None:
    model, images = trained("convnet"), noise(48)
    classes = [i % 10 for i in range(48)]
    together = cam_maps(model, images, "layer3", classes, method)
    apart = cam_maps(model, images, "layer3", classes, method, batch_size=1)
    uneven = cam_maps(model, images, "layer3", classes, method, batch_size=20)
    np.testing.assert_allclose(together.peaks, apart.peaks, rtol=1e-3, atol=1e-6)
    sure = together.peaks > 1e-3
    assert sure.any()
    np.testing.assert_allclose(together.maps[sure], apart.maps[sure], atol=1e-4)
    np.testing.assert_allclose(together.maps[sure], uneven.maps[sure], atol=1e-4)


@every_method
@pytest.mark.parametrize("layer", ["conv", "bn", "relu"])
def test_steps_in_place_after_the_layer_change_nothing(layer: str, method: str) -> None:
    torch.manual_seed(0)
    apart, in_place = InPlace(in_place=False).eval(), InPlace(in_place=True).eval()
    in_place.load_state_dict(apart.state_dict())
    images, classes = noise(4), [1, 2, 3, 4]
    found = cam_maps(in_place, images, layer, classes, method)
    np.testing.assert_allclose(
        found.maps, plainly(apart, images, layer, classes, method), atol=1e-4
    )


@every_method
def test_only_some_methods_depend_on_the_class(method: str) -> None:
    model, images = trained("convnet"), noise(2)
    one, other = (cam_maps(model, images, "layer5", [c, c], method).maps for c in (0, 1))
    assert np.array_equal(one, other) != METHODS[method].uses_class


def test_a_layer_that_runs_twice_has_the_librarys_map() -> None:
    class Twice(Linear):
        def __init__(self):
            super().__init__()
            self.again = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, images: Tensor) -> Tensor:
            return super().forward(self.again(self.again(images).tanh()).tanh())

    torch.manual_seed(0)
    model, images = Twice(), noise(2)
    found = cam_maps(model, images, "again", [0, 1])
    np.testing.assert_allclose(
        found.maps, plainly(model, images, "again", [0, 1], "GradCAM"), atol=1e-4
    )


def test_a_map_that_is_not_finite_is_empty_and_marked() -> None:
    images = noise(2)
    images[0, 0, 3, 3] = float("inf")
    found = cam_maps(quick(), images, "bn", [1, 2])
    assert np.isnan(found.peaks[0])
    assert found.maps[0].max() == 0
    sound = cam_maps(quick(), images[1:], "bn", [2])
    np.testing.assert_allclose(found.maps[1], sound.maps[0], atol=1e-4)


def test_no_images_give_no_maps() -> None:
    assert cam_maps(quick(), noise(0), "bn", []).maps.shape == (0, 32, 32)


# What is left alone


@every_method
@pytest.mark.parametrize("training", [True, False])
def test_model_gradients_and_images_stay_untouched(method: str, training: bool) -> None:
    model = create_model("sepnet_v1").train(training)
    frozen = next(model.parameters()).requires_grad_(False)
    F.cross_entropy(model(noise(4)), torch.arange(4)).backward()
    images = noise(2).requires_grad_()
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
    model, images = trained("sepnet_v1"), noise(2)
    expected = cam_maps(model, images, "layer2.6", [3, 4], method)
    model.train().requires_grad_(False)
    found = cam_maps(model, images, "layer2.6", [3, 4], method)
    assert np.array_equal(found.maps, expected.maps)


@every_method
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_makes_no_difference(mode: Any, method: str) -> None:
    expected = cam_maps(quick(), noise(2), "relu", [3, 4], method)
    with mode():
        # Made inside, the weights and images of inference mode may enter no graph themselves.
        found = cam_maps(quick(), noise(2), "relu", [3, 4], method)
        assert not torch.is_grad_enabled()
    assert np.array_equal(found.maps, expected.maps)


def test_autocast_around_the_call_changes_nothing() -> None:
    expected = cam_maps(quick(), noise(2), "bn", [3, 4])
    with torch.autocast("cpu", torch.bfloat16):
        found = cam_maps(quick(), noise(2), "bn", [3, 4])
    assert np.array_equal(found.maps, expected.maps)


def test_weights_in_half_precision_are_computed_in_full() -> None:
    half = quick().bfloat16()
    found = cam_maps(half, noise(2), "bn", [3, 4])
    assert np.array_equal(found.maps, cam_maps(half.float(), noise(2), "bn", [3, 4]).maps)


def test_threads_that_share_a_model_do_not_meet() -> None:
    model, images = trained("convnet"), noise(4)
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
    model, images, process = create_model("convnet"), noise(8), psutil.Process()

    def hundred() -> int:
        for _ in range(13):
            cam_maps(model, images, "layer2", [0] * 8)
        gc.collect()
        return process.memory_info().rss

    hundred()  # the first calls fill caches
    before, *_, after = [hundred() for _ in range(10)]
    assert after - before < 20e6


# What is refused


@every_method
@pytest.mark.parametrize("number", [10, -1])
def test_a_class_that_does_not_exist_is_refused(number: int, method: str) -> None:
    with pytest.raises(ConfigError, match=rf"no class {number}; give 0 to 9"):
        cam_maps(quick(), noise(2), "bn", [0, number], method)


def test_the_number_of_classes_is_the_models() -> None:
    model = create_model("convnet", num_classes=3)
    cam_maps(model, noise(1), "layer5", np.array([2]))
    with pytest.raises(ConfigError, match="no class 3; give 0 to 2"):
        cam_maps(model, noise(1), "layer5", [3])


def test_one_class_for_several_images_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 classes were given for 4 images"):
        cam_maps(quick(), noise(4), "bn", [1])


@pytest.mark.parametrize("layer", ["fc", "layer9", ""])
def test_a_layer_that_carries_no_map_is_refused(layer: str) -> None:
    with pytest.raises(ConfigError, match=rf"no layer {layer!r}.*Choose one of: conv"):
        cam_maps(quick(), noise(1), layer, [1])


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'CAM'.*GradCAM, GradCAM\+\+, HiResCAM, LayerCAM"):
        cam_maps(quick(), noise(1), "bn", [1], "CAM")


# Painting


def photo(brightest: int = 255) -> np.ndarray:
    return np.random.default_rng(0).integers(0, brightest + 1, (32, 32, 3), dtype=np.uint8)


def ramp() -> Floats:
    return np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32)


def test_opacity_runs_from_the_image_to_the_map() -> None:
    image, cam = photo(), ramp()
    assert np.array_equal(overlay(image, cam, 0)[::8, ::8], image)
    assert np.array_equal(overlay(image, cam, 1), heat(cam, 8))


def test_opacity_moves_every_pixel_steadily_towards_the_map() -> None:
    image, cam = photo(), ramp()
    towards = np.sign(heat(cam).astype(int) - image)
    steps = [overlay(image, cam, o, scale=1).astype(int) for o in np.linspace(0, 1, 21)]
    for before, after in pairwise(steps):
        assert ((after - before) * towards >= 0).all()


def test_a_dark_photo_stays_dark_whatever_the_map() -> None:
    dark = photo(brightest=20)
    assert overlay(dark, np.zeros((32, 32), np.float32), 0.5).max() <= 20
    bright_spot = np.zeros((32, 32), np.float32)
    bright_spot[4, 4] = 1
    spotted, plain = overlay(dark, bright_spot, 0.5, 1), overlay(dark, 0 * bright_spot, 0.5, 1)
    spotted[4, 4] = plain[4, 4]
    assert np.array_equal(spotted, plain)


def test_enlarging_keeps_each_value_on_its_pixel() -> None:
    large = heat(ramp(), scale=5)
    assert large.shape == (160, 160, 3)
    assert large.dtype == np.uint8
    for row, column in np.ndindex(5, 5):
        assert np.array_equal(large[row::5, column::5], heat(ramp()))


def test_colours_grow_lighter_with_the_value() -> None:
    lightness = heat(ramp()).reshape(-1, 3) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -1.5).all()  # steps of whole colour values
    assert lightness[0] < 5
    assert lightness[-1] > 230
    red, _, blue = heat(np.full((1, 1), 0.5, np.float32))[0, 0]
    assert red > blue  # RGB, not OpenCV's order


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_out_of_bounds_is_refused(opacity: float) -> None:
    with pytest.raises(ConfigError, match="from 0 to 1"):
        overlay(photo(), ramp(), opacity)
