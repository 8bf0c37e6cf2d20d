"""Optimizers and averaged weights against torch's own and hand tables."""

import copy

import pytest
import torch
from torch import nn

from cifar_core.config.train import TrainConfig, make_config
from cifar_core.models import create_model
from cifar_core.training.optim import (
    create_optimizer,
    decayed,
    l1_norm,
    update_ema,
)


class Mixed(nn.Module):
    """Parameters of every kind: a kernel, a matrix, biases, a norm, a frozen kernel, a scalar."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.linear = nn.Linear(4, 2)
        self.frozen = nn.Conv2d(3, 4, 1).requires_grad_(False)
        self.scale = nn.Parameter(torch.tensor(2.0))


def names_of(model: nn.Module, parameters: list[nn.Parameter]) -> set[str]:
    ids = {id(p) for p in parameters}
    return {name for name, p in model.named_parameters() if id(p) in ids}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_decay_acts_on_weights_of_two_or_more_axes_alone(optimizer: str) -> None:
    model = Mixed()
    config = make_config({"optimizer": optimizer, "weight_decay": 0.25})
    groups = create_optimizer(config, model).param_groups
    by_decay = {group["weight_decay"]: names_of(model, group["params"]) for group in groups}
    others = {"conv.bias", "norm.weight", "norm.bias", "linear.bias", "scale"}
    assert by_decay == {0.25: {"conv.weight", "linear.weight"}, 0.0: others}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_without_gradient_only_decay_moves_weights(optimizer: str) -> None:
    model = Mixed()
    config = make_config({"optimizer": optimizer, "lr": 0.5, "weight_decay": 0.2, "momentum": 0})
    before = copy.deepcopy(model.state_dict())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    create_optimizer(config, model).step()
    for name, now in model.named_parameters():
        factor = 1 - 0.5 * 0.2 if name in ("conv.weight", "linear.weight") else 1
        torch.testing.assert_close(now.detach(), before[name] * factor)


def two_steps(config: TrainConfig) -> float:
    """A weight of 1 after two steps with gradients of 1 and 2."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = create_optimizer(config, model)
    for gradient in (1.0, 2.0):
        model.weight.grad = torch.full_like(model.weight, gradient)
        optimizer.step()
    return model.weight.item()


def test_momentum_is_that_of_nesterov() -> None:
    # Velocities 1 and 0.5 * 1 + 2 = 2.5; moved by 1 + 0.5 * 1 and 2 + 0.5 * 2.5, times 0.1.
    config = make_config({"lr": 0.1, "momentum": 0.5, "weight_decay": 0})
    assert two_steps(config) == pytest.approx(1 - 0.1 * (1.5 + 3.25))


def test_momentum_zero_is_plain_gradient_descent() -> None:
    config = make_config({"lr": 0.1, "momentum": 0, "weight_decay": 0})
    assert two_steps(config) == pytest.approx(1 - 0.1 * (1 + 2))


def test_momentum_is_the_first_beta_of_adamw() -> None:
    config = make_config({"optimizer": "adamw", "momentum": 0.7, "lr": 0.01})
    (group, _) = create_optimizer(config, Mixed()).param_groups
    assert (group["betas"], group["lr"]) == ((0.7, 0.999), 0.01)


def test_l1_norm_is_the_hand_sum_of_absolute_weights() -> None:
    first, last = nn.Linear(2, 2), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, -2.0], [0.5, 0.0]]))
        last.weight.copy_(torch.tensor([[-4.0, 0.25]]))
        for bias in (first.bias, last.bias):
            bias.fill_(100)
    norm = l1_norm(nn.Sequential(first, nn.BatchNorm1d(2), last))
    assert norm.shape == ()
    assert norm.item() == 7.75
    norm.backward()
    assert first.weight.grad is not None
    assert first.weight.grad.tolist() == [[1, -1], [1, 0]]
    assert first.bias.grad is None


def test_frozen_weights_are_penalised_by_nothing() -> None:
    model = create_model("speednet")
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert "whiten.weight" in frozen
    assert not names_of(model, list(decayed(model))) & frozen


def test_average_equals_a_hand_average() -> None:
    model, average = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    state = {"weight": [1.0, 2.0], "bias": [3.0, 4.0], "running_mean": [5.0, 6.0]}
    for name, values in state.items():
        model.state_dict()[name].copy_(torch.tensor(values))
        average.state_dict()[name].zero_()
    model.state_dict()["num_batches_tracked"].fill_(7)
    update_ema(average, model, 0.75)
    update_ema(average, model, 0.75)
    share = 0.25 + 0.75 * 0.25
    for name, values in state.items():
        expected = torch.tensor(values) * share
        torch.testing.assert_close(average.state_dict()[name], expected)
        assert model.state_dict()[name].tolist() == values
    tracked = average.state_dict()["num_batches_tracked"]
    assert (tracked.item(), tracked.dtype) == (7, torch.int64)


def test_an_average_of_equal_models_is_that_model() -> None:
    model = create_model("convnet")
    average = copy.deepcopy(model).requires_grad_(False)
    update_ema(average, model, 0.9)
    for name, value in model.state_dict().items():
        assert torch.equal(average.state_dict()[name], value), name
