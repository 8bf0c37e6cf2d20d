"""Maps equal the library's own, computed by hand or its plain way; what is refused."""

import copy
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cifar_core.errors import ConfigError
from cifar_core.explain.gradcam import cam_maps
from cifar_core.explain.layers import list_layers
from cifar_core.explain.methods import METHODS
from cifar_core.explain.overlay import Floats
from cifar_core.models import create_model, list_models
from tests.builders import OneConvolution, quick_model, single_thread, smooth_noise, trained_model

every_method = pytest.mark.parametrize("method", METHODS)
QUICK = [name for name, method in METHODS.items() if not method.slow]
LIKE_THE_LIBRARY = [name for name in METHODS if name != "AblationCAM"]  # see `cam_library`
SMALL = ("convnet", "sepnet_v1")  # where slow methods take no time to speak of
LAYERS = {
    "convnet": ["stem", "layer2", "layer5", "layer3.bn"],
    "speednet": ["whiten", "layer1", "layer3"],
    "sepnet_v1": ["layer1.8", "layer2.6", "layer3.0", "head"],
    "resnet18": ["layer2.0", "layer3.1", "layer4.1"],
}
one_thread = pytest.fixture(single_thread, autouse=True)


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


def ablation_rounding(model: nn.Module, images: Tensor, layer: str) -> Floats:
    """(B,) how far the arithmetic alone may move a raw map of AblationCAM.

    A channel's weight is a difference of two scores, and processors sum a score in orders of
    their own: each may be off by a few units in the last place of the largest (8 here; 0.7 were
    seen, with oneDNN at AVX2, AVX512_CORE and its default). Activations carry that into the map.
    """
    kept: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *of: kept.append(of[2]))
    with torch.no_grad():
        scores = model(images).abs().amax(dim=1)
    handle.remove()
    sums = kept[0].abs().sum(dim=1).amax(dim=(1, 2))
    return (8 * torch.finfo(torch.float32).eps * scores * sums).numpy()


class Linear(nn.Module):
    """The class activation map's own network: convolution, mean over space, linear layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.fc = nn.Linear(4, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).mean(dim=(2, 3)))


# The maps themselves


@pytest.mark.parametrize("method", ["GradCAM", "HiResCAM"])
def test_the_map_of_a_linear_model_is_the_one_computed_by_hand(method: str) -> None:
    torch.manual_seed(0)
    model, images, classes = Linear(), smooth_noise(3), [2, 7, 2]
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
    model, images, classes = trained_model(name), smooth_noise(3, seed=9), [0, 4, 9]
    compared = 0
    for layer in LAYERS[name]:
        for method in LIKE_THE_LIBRARY if name in SMALL else QUICK:
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
    model, images = create_model(name), smooth_noise(2)
    for layer in (found for found in list_layers(model) if found.offered):
        for method in METHODS if name in SMALL else QUICK:
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
    num = 48 if method in QUICK else 8
    model, images = trained_model("convnet"), smooth_noise(num)
    classes = [i % 10 for i in range(num)]
    together = cam_maps(model, images, "layer3", classes, method)
    apart = cam_maps(model, images, "layer3", classes, method, batch_size=1)
    uneven = cam_maps(model, images, "layer3", classes, method, batch_size=num // 2 - 1)
    np.testing.assert_allclose(together.peaks, apart.peaks, rtol=1e-3, atol=1e-6)
    sure = together.peaks > 1e-3
    assert sure.any()
    within = np.full((sure.sum(), 1, 1), 1e-4)
    if method == "AblationCAM":
        rounding = ablation_rounding(model, images, "layer3")[sure] / together.peaks[sure]
        within = np.maximum(within, rounding[:, None, None])
    assert (np.abs(together.maps - apart.maps)[sure] <= within).all()
    assert (np.abs(together.maps - uneven.maps)[sure] <= within).all()


@pytest.mark.parametrize("method", LIKE_THE_LIBRARY)
@pytest.mark.parametrize("layer", ["conv", "bn", "relu"])
def test_steps_in_place_after_the_layer_change_nothing(layer: str, method: str) -> None:
    torch.manual_seed(0)
    apart, in_place = OneConvolution(in_place=False).eval(), OneConvolution(in_place=True).eval()
    in_place.load_state_dict(apart.state_dict())
    images, classes = smooth_noise(4), [1, 2, 3, 4]
    found = cam_maps(in_place, images, layer, classes, method)
    np.testing.assert_allclose(
        found.maps, plainly(apart, images, layer, classes, method), atol=1e-4
    )


@pytest.mark.parametrize("layer", ["conv", "bn", "relu"])
def test_nor_do_they_where_channels_are_ablated(layer: str) -> None:
    torch.manual_seed(0)
    apart, in_place = OneConvolution(in_place=False).eval(), OneConvolution(in_place=True).eval()
    in_place.load_state_dict(apart.state_dict())
    one, other = (
        cam_maps(model, smooth_noise(4), layer, [1, 2, 3, 4], "AblationCAM").raw
        for model in (apart, in_place)
    )
    np.testing.assert_allclose(one, other, atol=1e-5)


@every_method
def test_only_some_methods_depend_on_the_class(method: str) -> None:
    model, images = trained_model("convnet"), smooth_noise(2)
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
    model, images = Twice(), smooth_noise(2)
    found = cam_maps(model, images, "again", [0, 1])
    np.testing.assert_allclose(
        found.maps, plainly(model, images, "again", [0, 1], "GradCAM"), atol=1e-4
    )


def test_a_map_that_is_not_finite_is_empty_and_marked() -> None:
    images = smooth_noise(2)
    images[0, 0, 3, 3] = float("inf")
    found = cam_maps(quick_model(), images, "bn", [1, 2])
    assert np.isnan(found.peaks[0])
    assert found.maps[0].max() == 0
    sound = cam_maps(quick_model(), images[1:], "bn", [2])
    np.testing.assert_allclose(found.maps[1], sound.maps[0], atol=1e-4)


def test_no_images_give_no_maps() -> None:
    assert cam_maps(quick_model(), smooth_noise(0), "bn", []).maps.shape == (0, 32, 32)


# What is refused


def test_a_class_that_does_not_exist_is_refused() -> None:
    for method, number in itertools.product(METHODS, (10, -1)):
        with pytest.raises(ConfigError, match=rf"no class {number}; give 0 to 9"):
            cam_maps(quick_model(), smooth_noise(2), "bn", [0, number], method)


def test_the_number_of_classes_is_the_models() -> None:
    model = create_model("convnet", num_classes=3)
    cam_maps(model, smooth_noise(1), "layer5", np.array([2]))
    with pytest.raises(ConfigError, match="no class 3; give 0 to 2"):
        cam_maps(model, smooth_noise(1), "layer5", [3])


def test_one_class_for_several_images_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 target classes for 4 images"):
        cam_maps(quick_model(), smooth_noise(4), "bn", [1])


def test_a_layer_without_a_grid_is_refused() -> None:
    for layer in ("fc", "layer9", ""):
        with pytest.raises(ConfigError, match=rf"no layer {layer!r}.*Choose one of: conv"):
            cam_maps(quick_model(), smooth_noise(1), layer, [1])


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'CAM'.*GradCAM, GradCAM\+\+, HiResCAM, LayerCAM"):
        cam_maps(quick_model(), smooth_noise(1), "bn", [1], "CAM")
