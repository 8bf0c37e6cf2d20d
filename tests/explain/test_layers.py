"""Which layers a network offers for maps, against lists written by hand."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.errors import ConfigError
from cifar_core.explain.gradcam import cam_maps
from cifar_core.explain.layers import (
    TargetLayer,
    default_layer,
    find_layer,
    list_layers,
    module_of,
    private_copy,
)
from cifar_core.explain.methods import METHODS
from cifar_core.models import create_model, list_models
from tests.builders import single_thread, smooth_noise, trained_model

one_thread = pytest.fixture(single_thread, autouse=True)

OFFERED = {  # those with a star are activated
    "convnet": "stem 24 32, transition1 32 16, layer1 64 16, layer2 64 16, transition2 96 8, "
    "layer3 96 8, layer4 128 8, layer5 128 8",
    "speednet": "whiten 24 31, layer1.input* 24 31, layer1 64 15, layer2 256 7, layer3 256 3",
    "sepnet_v1": "layer1.0 20 32, layer1.2* 20 32, layer1.3 32 32, layer1.5* 32 32, "
    "layer1.6 64 16, layer1.8* 64 16, layer2.0 128 16, layer2.2* 128 16, layer2.3 128 16, "
    "layer2.4 64 16, layer2.5* 64 16, layer2.6 32 8, layer2.8* 32 8, layer3.0 64 6, "
    "layer3.2* 64 6, layer3.3 32 6, layer3.5* 32 6, layer3.6 32 3, layer3.8* 32 3, "
    "layer4.0 16 3, layer4.2* 16 3, head 10 3",
    "sepnet_v2": "layer1.0 32 32, layer1.2* 32 32, layer1.4 32 32, layer1.5 128 32, "
    "layer1.7* 128 32, transition1 64 16, layer2.0 64 16, layer2.1 128 16, layer2.3* 128 16, "
    "layer2.5 128 16, layer2.6 128 16, layer2.8* 128 16, transition2 64 8, layer3.0 64 8, "
    "layer3.1 64 8, layer3.3* 64 8, layer3.5 64 8, layer3.6 64 8, layer3.8* 64 8, "
    "layer3.10 64 6, layer3.11 64 6, layer3.13* 64 6",
    "resnet18": "conv1 64 32, layer1.input* 64 32, layer1.0 64 32, layer1.1 64 32, "
    "layer2.0 128 16, layer2.1 128 16, layer3.0 256 8, layer3.1 256 8, layer4.0 512 4, "
    "layer4.1 512 4",
    "resnet34": "conv1 64 32, layer1.input* 64 32, layer1.0 64 32, layer1.1 64 32, "
    "layer1.2 64 32, layer2.0 128 16, layer2.1 128 16, layer2.2 128 16, layer2.3 128 16, "
    "layer3.0 256 8, layer3.1 256 8, layer3.2 256 8, layer3.3 256 8, layer3.4 256 8, "
    "layer3.5 256 8, layer4.0 512 4, layer4.1 512 4, layer4.2 512 4",
}
DEFAULT = {
    "convnet": "layer5",
    "speednet": "layer1",
    "sepnet_v1": "layer2.6",
    "sepnet_v2": "layer3.6",
    "resnet18": "layer3.1",
    "resnet34": "layer3.5",
}


@pytest.fixture(scope="module")
def resnet18() -> list[TargetLayer]:
    return list_layers(create_model("resnet18"))


def layer(name: str, side: int, offered: bool = True, activated: bool = False) -> TargetLayer:
    return TargetLayer(name, 4, side, side, offered, activated)


@pytest.mark.parametrize("name", list_models())
def test_blocks_and_free_convolutions_are_offered_in_forward_order(name: str) -> None:
    layers = list_layers(create_model(name))
    offered = [
        f"{found.name}{'*' * found.activated} {found.channels} {found.height}"
        for found in layers
        if found.offered
    ]
    assert ", ".join(offered) == OFFERED[name]
    assert default_layer(layers).name == DEFAULT[name]
    assert len({found.name for found in layers}) == len(layers)


def test_members_of_blocks_stand_behind_all_layers(resnet18: list[TargetLayer]) -> None:
    hidden = [found.name for found in resnet18 if not found.offered]
    first = ["conv1", "bn1", "conv2.input", "conv2", "bn2"]
    assert hidden[:6] == ["bn1", *(f"layer1.0.{name}" for name in first)]
    assert {"layer2.0.downsample.0", "layer2.0.downsample.1"} <= set(hidden)
    assert not {"layer1", "layer2.0.downsample", "fc", ""} & {found.name for found in resnet18}


def test_what_stands_between_a_convolution_and_its_activated_output_is_behind_all_layers() -> None:
    layers = {found.name: found for found in list_layers(create_model("sepnet_v1"))}
    assert not layers["layer1.1"].offered  # batch norm
    assert not layers["layer1.9"].offered  # dropout


class FunctionalReLU(nn.Module):
    """A stem whose ReLU is no module, a stage that is entered through its Sequential, pooling."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.stage = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(4, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stage(F.relu(self.conv(images)))
        return self.fc(x.mean(dim=(2, 3)))


def test_what_a_function_makes_is_the_input_of_the_next_module() -> None:
    torch.manual_seed(0)
    model, images = FunctionalReLU().eval(), smooth_noise(3)
    names = [(one.name, one.offered, one.activated) for one in list_layers(model)]
    assert names == [
        ("conv", True, False),
        ("stage.input", True, True),
        ("stage.0", True, False),
        ("stage.1", True, True),
        ("stage.2", False, False),
    ]
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), model.fc)
    plain = nn.Sequential(model.conv, nn.ReLU(), model.stage, *pooled)
    for method in METHODS:
        found = cam_maps(model, images, "stage.input", [1, 2, 3], method)
        expected = cam_maps(plain, images, "1", [1, 2, 3], method)
        np.testing.assert_allclose(found.raw, expected.raw, atol=1e-5, err_msg=method)
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert "stage.input" not in dict(model.named_modules())


def output_at(model: nn.Module, layer: str, images: Tensor) -> Tensor:
    """What this layer puts out, without a change of what the model does."""
    private, outputs = private_copy(model), list[Tensor]()
    module_of(private, layer).register_forward_hook(lambda *seen: outputs.append(seen[2]))
    with torch.no_grad():
        assert torch.equal(private(images), model(images))
    return outputs[0]


def test_the_stem_of_some_networks_is_activated_by_a_function() -> None:
    images, resnet, speednet = smooth_noise(1), *map(trained_model, ("resnet18", "speednet"))
    with torch.no_grad():
        stem = F.relu(resnet.bn1(resnet.conv1(images)))  # pyright: ignore[reportCallIssue] # its members
        whitened = F.gelu(speednet.whiten(images))  # pyright: ignore[reportCallIssue] # its members
    assert torch.equal(output_at(resnet, "layer1.input", images), stem)
    assert torch.equal(output_at(speednet, "layer1.input", images), whitened)


@pytest.mark.parametrize("name", ["sepnet_v1", "sepnet_v2"])
def test_an_activated_output_is_what_the_next_convolution_gets(name: str) -> None:
    model, images, inputs = trained_model(name), smooth_noise(1), list[Tensor]()
    handles = [
        module.register_forward_pre_hook(lambda _, seen: inputs.append(seen[0]))
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
    ]
    model(images)
    for handle in handles:
        handle.remove()
    for found in (one for one in list_layers(model) if one.activated):
        output = output_at(model, found.name, images)
        last = found.name == "layer3.13"  # pooling follows
        assert last or any(torch.equal(output, one) for one in inputs), found.name


def test_grids_of_one_cell_are_left_out() -> None:
    for name, single in (("sepnet_v1", {"global_pool"}), ("sepnet_v2", {"global_pool", "head"})):
        assert not single & {found.name for found in list_layers(create_model(name))}


def test_a_label_reads_well() -> None:
    assert TargetLayer("layer3.1", 256, 8, 8, True).label == "layer3.1 (256x8x8)"
    assert layer("layer2.5", 16, activated=True).label == "layer2.5 (4x16x16, activated)"


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training: bool) -> None:
    model = create_model("sepnet_v1").train(training)
    model.get_submodule("head").eval()
    before = copy.deepcopy(model.state_dict())
    flags = [module.training for module in model.modules()]
    list_layers(model)
    assert flags == [module.training for module in model.modules()]
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_training_and_evaluation_mode_give_the_same_list() -> None:
    model = create_model("sepnet_v2")
    assert list_layers(model.train()) == list_layers(model.eval())
    with torch.inference_mode():
        assert list_layers(model) == list_layers(model.half())


def test_a_layer_that_runs_twice_is_listed_once() -> None:
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, images: Tensor) -> Tensor:
            return self.conv(self.conv(images)).mean(dim=(2, 3))

    assert list_layers(Twice()) == [TargetLayer("conv", 3, 32, 32, True)]


def test_the_default_is_the_last_offered_grid_larger_than_seven() -> None:
    layers = [layer("a", 16), layer("b", 8), layer("c", 8, offered=False), layer("d", 7)]
    layers.insert(2, layer("b2", 8, activated=True))
    assert default_layer(layers).name == "b"


def test_without_a_fine_grid_the_finest_is_the_default() -> None:
    assert default_layer([layer("a", 5), layer("b", 7), layer("c", 3)]).name == "b"


def test_a_model_without_layers_says_so() -> None:
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3072, 10)

        def forward(self, images: Tensor) -> Tensor:
            return self.fc(images.flatten(1))

    with pytest.raises(ConfigError, match="no layer for Grad-CAM"):
        default_layer(list_layers(Flat()))


def test_a_layer_without_a_grid_is_refused_with_those_that_have_one(
    resnet18: list[TargetLayer],
) -> None:
    for name in ("fc", "layer9", "", "layer1", "global_pool"):
        with pytest.raises(ConfigError) as refusal:
            find_layer(resnet18, name)
        assert repr(name) in str(refusal.value)
        assert "layer3.0, layer3.1, layer4.0" in str(refusal.value), name
        assert "bn1" not in str(refusal.value), name


def test_a_layer_behind_all_layers_is_found(resnet18: list[TargetLayer]) -> None:
    found = find_layer(resnet18, "layer3.0.bn1")
    assert (found.channels, found.height, found.offered) == (256, 8, False)
