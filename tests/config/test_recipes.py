"""Recipes: the five reference systems, and a quick one."""

import pytest

from cifar_core.config.recipes import RECIPES, recipe
from cifar_core.config.train import make_config
from cifar_core.errors import ConfigError


def test_the_recipes_are_the_five_systems_and_a_quick_one() -> None:
    systems = ("s8_resnet18", "eva_resnet18", "s9_sepnet_v1", "s9_sepnet_v2", "s11_resnet18")
    assert tuple(RECIPES) == ("quick", *systems)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid(name: str) -> None:
    config = recipe(name)
    assert make_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("name", "model", "epochs"),
    [
        ("s8_resnet18", "resnet18", 20),
        ("eva_resnet18", "resnet18", 40),
        ("s9_sepnet_v1", "sepnet_v1", 50),
        ("s9_sepnet_v2", "sepnet_v2", 50),
        ("s11_resnet18", "resnet18", 20),
    ],
)
def test_recipes_are_true_to_their_systems(name: str, model: str, epochs: int) -> None:
    config = recipe(name)
    operations = {op.name: op for op in config.augment.operations}
    assert (config.model, config.epochs, config.optimizer) == (model, epochs, "sgd")
    assert (config.l1 > 0) == (name == "eva_resnet18")
    assert config.val_size == 0, "none of them held images out"
    statistics = {"s8_resnet18": "separate", "eva_resnet18": "all"}
    assert config.normalization == statistics.get(name, "train")
    if name == "s8_resnet18":
        assert operations["PadCrop"].params == {"padding": 4, "mode": "constant"}
        assert operations["Cutout"].params == {"size": 16, "fill": "mean"}
        assert set(operations) == {"PadCrop", "Cutout"}
    if name.startswith("s9"):
        assert set(operations) == {"HorizontalFlip", "Affine", "Cutout"}
        assert operations["Cutout"].params == {"size": 16, "fill": "mean"}
    if name == "s11_resnet18":
        assert (config.schedule, config.momentum, config.base_momentum) == ("onecycle", 0.95, 0.85)


def test_an_unknown_recipe_is_refused_with_the_available_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        recipe("s12")
    assert "'s12'" in str(caught.value)
    assert all(name in str(caught.value) for name in RECIPES)
