"""What every model promises, and what is peculiar to each."""

import importlib
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Tensor, nn

from cifar_core.errors import ConfigError
from cifar_core.models import create_model, list_models
from cifar_core.models.convnet import ConvBlock, SeparableBlock, TransitionBlock
from cifar_core.models.speednet import SpeedNet, whitening_filters
from cifar_core.system.paths import repository

every_model = pytest.mark.parametrize("name", list_models())


@pytest.fixture
def images() -> Tensor:
    """(4, 3, 32, 32) float32, about normal."""
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def seeded(name: str, num_classes: int = 10) -> nn.Module:
    """The model, always with the same weights, and batch statistics that are not the defaults."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model(name, num_classes)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 2.0)
    return model.eval()


def smooth_images(count: int) -> Tensor:
    """(N, 3, 32, 32) float32 whose neighboring pixels and channels are alike, as in photos."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.randn(count, 3, 8, 8, generator=generator)
    gray = torch.randn(count, 1, 8, 8, generator=generator)
    fine = 0.3 * torch.randn(count, 3, 32, 32, generator=generator)
    return F.interpolate(0.3 * coarse + gray, size=32, mode="bilinear") + fine


# Listing and creating


def test_listing_models_leaves_torch_out():
    code = "import sys, cifar_core.models as m; m.list_models(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository())


def test_unknown_model_names_those_there_are():
    with pytest.raises(ConfigError) as caught:
        create_model("resnet19")
    assert str(caught.value) == (
        "Unknown model 'resnet19'. Available: "
        "convnet, speednet, sepnet_v1, sepnet_v2, resnet18, resnet34."
    )


# The contract of every model


@every_model
@pytest.mark.parametrize("num_classes", [3, 10])
def test_logits_have_one_column_per_class(name: str, num_classes: int, images: Tensor):
    logits = seeded(name, num_classes)(images)
    assert logits.shape == (4, num_classes)
    assert logits.dtype == torch.float32


@every_model
def test_every_trainable_parameter_gets_a_finite_gradient(name: str, images: Tensor):
    model = seeded(name).train()
    F.cross_entropy(model(images), torch.arange(4)).backward()
    for path, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        assert parameter.grad is not None, path
        assert parameter.grad.isfinite().all(), path


@every_model
def test_evaluation_is_deterministic_and_alone_decides_each_image(name: str, images: Tensor):
    model = seeded(name)
    logits = model(images)
    assert torch.equal(model(images), logits)
    torch.testing.assert_close(model(images[:1]), logits[:1], rtol=0, atol=1e-4)


@every_model
def test_state_survives_safetensors(name: str, images: Tensor):
    model = seeded(name)
    restored = create_model(name).eval()
    restored.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(restored(images), model(images))


@every_model
def test_nothing_overwrites_what_a_layer_put_out(name: str, images: Tensor):
    seen: list[tuple[str, Tensor, int]] = []
    model = seeded(name)
    for path, module in model.named_modules():
        module.register_forward_hook(
            lambda _, __, output, path=path: seen.append((path, output, output._version))
        )
    model(images)
    assert [path for path, output, version in seen if output._version != version] == []


@every_model
def test_channels_last_gives_the_same_logits(name: str, images: Tensor):
    model = seeded(name)
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] # not in torch's types
    actual = model(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)


# ResNet


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
def test_torchvision_loads_resnet_and_agrees(name: str, images: Tensor):
    torchvision_models = importlib.import_module("torchvision.models")
    theirs = getattr(torchvision_models, name)(num_classes=10)
    theirs.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    theirs.maxpool = nn.Identity()
    ours = seeded(name)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    torch.testing.assert_close(ours(images), theirs.eval()(images), rtol=1e-5, atol=1e-5)


# The small network


def test_convnet_memorises_32_random_images():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, images = create_model("convnet"), torch.randn(32, 3, 32, 32)
    labels = torch.arange(32) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


def test_convnet_has_each_kind_of_block():
    kinds = {type(module) for module in create_model("convnet").modules()}
    assert {ConvBlock, TransitionBlock, SeparableBlock} <= kinds


# The network of the speed runs


def test_whitened_patches_are_uncorrelated_with_unit_response():
    images = smooth_images(64)
    model = SpeedNet()
    model.init_from_data(images)
    responses = model.whiten(images)[:, :12].transpose(0, 1).flatten(1)
    moments = responses @ responses.T / responses.shape[1]
    assert (moments - moments.diag().diag()).abs().max() < 1e-3
    # The epsilon takes a little from the directions of least variance.
    assert ((moments.diag() > 0.97) & (moments.diag() < 1.001)).all()


def test_whitening_filters_come_in_opposite_pairs_and_stay_fixed():
    model = SpeedNet()
    model.init_from_data(smooth_images(8))
    weight = model.whiten.weight
    assert torch.equal(weight[:12], -weight[12:])
    assert not weight.requires_grad


def test_whitening_depends_on_the_patches_alone():
    images = smooth_images(64)
    filters = whitening_filters(images)
    assert torch.equal(whitening_filters(images.clone()), filters)
    torch.testing.assert_close(whitening_filters(images.flip(0)), filters, rtol=1e-4, atol=1e-4)
    assert (filters @ 0.5 ** torch.arange(12) > 0).all()


def test_default_whitening_is_orthogonal():
    filters = SpeedNet().whiten.weight[:12].flatten(1)
    torch.testing.assert_close(filters @ filters.T, torch.eye(12), rtol=0, atol=1e-5)


def test_whitening_ignores_bfloat16_autocast(images: Tensor):
    whiten = SpeedNet().whiten
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = whiten(images)
        logits = seeded("speednet")(images)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, whiten(images))
    torch.testing.assert_close(logits.float(), seeded("speednet")(images), rtol=0.05, atol=0.05)


def test_group_convolutions_start_as_identity():
    group = SpeedNet().layer2
    x = torch.randn(2, 64, 15, 15, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(group.conv1(x)[:, :64], x)
