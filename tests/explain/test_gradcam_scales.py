"""Maps that may be compared: differences, one scale, ablations, chance; by hand."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cifar_core.data.arrays import Floats
from cifar_core.explain.gradcam import CamMaps, cam_maps, on_shared_scale
from cifar_core.explain.methods import METHODS, RANDOM
from tests.builders import quick_model, single_thread, smooth_noise, trained_model
from tests.explain.test_gradcam import QUICK, Linear

one_thread = pytest.fixture(single_thread, autouse=True)


class Strided(nn.Module):
    """One convolution with a grid of 32 / stride cells a side, and what depends on its square."""

    def __init__(self, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride, padding=1)
        self.fc = nn.Linear(8, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).square().mean(dim=(2, 3)))


def by_hand(model: Strided, images: Tensor, number: int) -> Floats:
    """(N, 32, 32) Grad-CAM from autograd, enlarged once."""
    activations = model.conv(images).detach().requires_grad_()
    model.fc(activations.square().mean(dim=(2, 3)))[:, number].sum().backward()
    assert activations.grad is not None
    weights = activations.grad.mean(dim=(2, 3), keepdim=True)
    raw = (weights * activations).sum(dim=1).clamp(min=0).detach().numpy()
    return np.stack([cv2.resize(one, (32, 32)) for one in raw])


@pytest.mark.parametrize("grid", [4, 8, 16])
def test_maps_before_scaling_are_enlarged_once(grid: int) -> None:
    torch.manual_seed(grid)
    model, images = Strided(32 // grid), smooth_noise(24)
    found, expected = cam_maps(model, images, "conv", [4] * 24), by_hand(model, images, 4)
    strengths = expected.max(axis=(1, 2))
    np.testing.assert_allclose(found.raw / strengths.max(), expected / strengths.max(), atol=1e-5)
    np.testing.assert_allclose(
        found.peaks / strengths.max(), strengths / strengths.max(), atol=1e-5
    )
    (shared,) = on_shared_scale([found])
    assert shared.max() == 1
    drawn = shared.max(axis=(1, 2))
    np.testing.assert_allclose(drawn, strengths / strengths.max(), atol=1e-5)
    assert np.argsort(drawn).tolist() == np.argsort(strengths).tolist()


@pytest.mark.parametrize("method", ["GradCAM", "HiResCAM"])
def test_a_difference_explains_one_logit_minus_another(
    method: str,
) -> None:
    torch.manual_seed(0)
    model, images = Linear(), smooth_noise(2)
    found = cam_maps(model, images, "conv", [(2, 7), (7, 2)], method)
    with torch.no_grad():
        weights = (model.fc.weight[[2, 7]] - model.fc.weight[[7, 2]]) / (32 * 32)
        raw = (weights[:, :, None, None] * model.conv(images)).sum(dim=1).clamp(min=0)
    np.testing.assert_allclose(found.raw, raw.numpy(), atol=1e-6)


def test_maps_on_one_scale_are_as_strong_as_they_were() -> None:
    torch.manual_seed(0)
    model, images = Linear(), smooth_noise(3)
    parts = [cam_maps(model, images[n : n + 1], "conv", [4]) for n in range(3)]
    with torch.no_grad():
        weights = model.fc.weight[4] / (32 * 32)
        raw = (weights[:, None, None] * model.conv(images)).sum(dim=1).clamp(min=0).numpy()
    for one, map_ in zip(on_shared_scale(parts), raw / raw.max(), strict=True):
        np.testing.assert_allclose(one[0], map_, atol=1e-5)
    joined = CamMaps.joined(parts)
    np.testing.assert_allclose(on_shared_scale([joined])[0], raw / raw.max(), atol=1e-5)
    assert on_shared_scale([]) == []


def test_maps_by_chance_are_the_same_each_time_and_leave_the_generator_alone() -> None:
    model, images = trained_model("convnet"), smooth_noise(2)
    np.random.seed(5)  # the generator in request
    first = np.random.random()  # as above
    np.random.seed(5)  # as above
    one, other = (cam_maps(model, images, "layer3", [1, 2], RANDOM) for _ in range(2))
    assert np.random.random() == first  # as above
    assert np.array_equal(one.maps, other.maps)
    assert not np.allclose(one.maps, cam_maps(model, images, "layer3", [1, 2]).maps, atol=0.1)


def test_an_ablation_says_what_the_score_loses_whatever_its_sign() -> None:
    torch.manual_seed(0)
    model, images = Linear(), smooth_noise(3)
    with torch.no_grad():
        model.fc.bias.sub_(100)  # every score is far below 0
        activations = model.conv(images)
        lost = activations.mean(dim=(2, 3)) * model.fc.weight[[2, 7, 2]]  # without each channel
        raw = (lost[:, :, None, None] * activations).sum(dim=1).clamp(min=0)
    assert (activations < 0).any()
    found = cam_maps(model, images, "conv", [2, 7, 2], "AblationCAM")
    np.testing.assert_allclose(found.raw, raw.numpy(), atol=2e-4)


def test_slow_methods_draw_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    for method in (name for name in METHODS if name not in QUICK):
        cam_maps(quick_model(), smooth_noise(1), "bn", [3], method)
    assert capfd.readouterr() == ("", "")
