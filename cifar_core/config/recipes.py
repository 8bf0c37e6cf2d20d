"""Named starting points: the five reference systems, and a quick one for a CPU."""

from typing import Any

from cifar_core.augment import preset
from cifar_core.config.train import TrainConfig
from cifar_core.errors import ConfigError

# Model, augmentation, epochs and schedule as published, and all 50,000 images to train on: none of
# the reference systems held any out, so their figures are those of the last epoch. What they leave
# open (learning rate, batch size, weight decay) is a sensible choice of ours.
RECIPES: dict[str, dict[str, Any]] = {
    "quick": {
        "model": "convnet",
        "epochs": 3,
        "batch_size": 128,
        "lr": 0.2,
        "augment": preset("standard"),
    },
    "s8_resnet18": {
        "val_size": 0,
        "model": "resnet18",
        "augment": preset("s8_resnet18"),
        "normalization": "separate",
        "epochs": 20,
        "lr": 0.1,
        "schedule": "step",
    },
    "eva_resnet18": {
        "val_size": 0,
        "model": "resnet18",
        "augment": preset("eva_resnet18"),
        "normalization": "all",
        "epochs": 40,
        "l1": 1e-6,
    },
    "s9_sepnet_v1": {
        "val_size": 0,
        "model": "sepnet_v1",
        "augment": preset("s9_sepnet"),
        "epochs": 50,
        "lr": 0.1,
        "weight_decay": 1e-4,
    },
    "s9_sepnet_v2": {
        "val_size": 0,
        "model": "sepnet_v2",
        "augment": preset("s9_sepnet"),
        "epochs": 50,
        "lr": 0.1,
        "weight_decay": 1e-4,
    },
    "s11_resnet18": {
        "val_size": 0,
        "model": "resnet18",
        "augment": preset("s11_resnet18"),
        "epochs": 20,
        "lr": 0.1,
        "schedule": "onecycle",
        # torch's OneCycleLR cycles the momentum by default.
        "momentum": 0.95,
        "base_momentum": 0.85,
    },
}


def recipe(name: str) -> TrainConfig:
    """The config of a recipe.

    Raises:
        ConfigError: if there is no such recipe.
    """
    if name not in RECIPES:
        raise ConfigError(f"Unknown recipe {name!r}. Available: {', '.join(RECIPES)}.")
    return TrainConfig(**RECIPES[name])
