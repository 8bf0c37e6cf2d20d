"""The networks by name; a network's code, and torch, are imported only when one is built.

convnet       a small convolutional network; separable blocks
head          last layers that evaluate in float32
resnet        ResNet-18 and ResNet-34 for 32x32 images
sepnet        networks of depthwise separable convolutions
speednet      a whitening first layer, made for training in seconds
summary       layer tables: shapes, parameters, multiply-adds
graph         the layers and what flows between them, for TensorBoard
torchsummary  a layer table in the text of torchsummary
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cifar_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelCard:
    """What a form shows of a model, and the module whose function of the model's name builds it.

    Attributes:
        weight_bytes: Of its parameters and buffers as they are saved.
    """

    module: str
    about: str
    weight_bytes: int


MODELS: dict[str, ModelCard] = {
    "convnet": ModelCard(
        "convnet",
        "Small network of plain and depthwise-separable convolutions, fast on a CPU; "
        "147 k parameters, 14.4 MMAC per image.",
        597_152,
    ),
    "speednet": ModelCard(
        "speednet",
        "Wide, shallow network of the 94% speed runs with a whitening first layer; "
        "1.97 M parameters, 118.1 MMAC per image.",
        7_900_432,
    ),
    "sepnet_v1": ModelCard(
        "sepnet",
        "Fully convolutional network with strided downsampling and one grouped convolution; "
        "181 k parameters, 35.4 MMAC per image.",
        727_344,
    ),
    "sepnet_v2": ModelCard(
        "sepnet",
        "Fully convolutional network of depthwise-separable convolutions; "
        "195 k parameters, 36.5 MMAC per image.",
        784_568,
    ),
    "resnet18": ModelCard(
        "resnet",
        "ResNet-18 with a stem for 32x32 images, the usual baseline; "
        "11.17 M parameters, 555.4 MMAC per image.",
        44_734_408,
    ),
    "resnet34": ModelCard(
        "resnet",
        "ResNet-34 with a stem for 32x32 images, twice as deep; "
        "21.28 M parameters, 1,159.4 MMAC per image.",
        85_196_872,
    ),
}


def list_models() -> list[str]:
    """The names that `create_model` takes, small networks first."""
    return list(MODELS)


def create_model(name: str, num_classes: int = 10) -> nn.Module:
    """A freshly initialised network from (B, 3, 32, 32) images to (B, K) logits.

    Initialisation draws from torch's global generator: seed it for a repeatable model.

    Raises:
        ConfigError: if no model has this name.
    """
    if name not in MODELS:
        raise ConfigError(f"Unknown model {name!r}. Available: {', '.join(MODELS)}.")
    family = importlib.import_module(f"{__name__}.{MODELS[name].module}")
    return getattr(family, name)(num_classes)
