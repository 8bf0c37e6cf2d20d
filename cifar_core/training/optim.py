"""Optimizers, learning rates as pure functions of the step, and averaged weights."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cifar_core.config.train import TrainConfig


def create_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum or AdamW; weight decay only on weights of two or more axes.

    Source of the split: biases and norms gain nothing from decay, as timm's
    `param_groups_weight_decay` has it.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": list(decayed(model)), "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.lr, betas=(config.momentum, 0.999))
    nesterov = config.momentum > 0
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov)


def decayed(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters that L1 and L2 act on."""
    return (p for p in model.parameters() if p.requires_grad and p.ndim >= 2)


def l1_norm(model: nn.Module) -> Tensor:
    """() float32, sum of the absolute weights; biases and norms left out."""
    return torch.stack([p.abs().sum() for p in decayed(model)]).sum()


def lr_at(config: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of a step, 0 <= step < total_steps; a pure function, nothing to store.

    Sources: onecycle as torch.optim.lr_scheduler.OneCycleLR (cosine arms, from max/25 to max to
    max/250,000; Smith and Topin 2017, arXiv 1708.07120), whose momentum is `momentum_at`; cosine as
    Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts.
    """
    if config.schedule == "onecycle":
        first = config.lr / 25
        return _onecycle(first, config.lr, first / 1e4, step, total_steps, config.pct_start)
    if config.schedule == "cosine":
        return _cosine_arm(config.lr, 0.0, step / total_steps)
    if config.schedule == "step":
        steps_per_epoch = total_steps // config.epochs
        return config.lr * config.gamma ** (step // steps_per_epoch // config.step_epochs)
    return config.lr


def _onecycle(
    first: float, middle: float, last: float, step: int, total_steps: int, pct_start: float
) -> float:
    """From the first value to the middle one and on to the last, by two cosine arms."""
    peak = pct_start * total_steps - 1
    if step <= peak:
        return _cosine_arm(first, middle, step / peak if peak > 0 else 1.0)
    return _cosine_arm(middle, last, (step - peak) / (total_steps - 1 - peak))


def _cosine_arm(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def momentum_at(config: TrainConfig, step: int, total_steps: int) -> float:
    """The momentum of a step, beta 1 of AdamW; it cycles against the learning rate of onecycle.

    Source: torch.optim.lr_scheduler.OneCycleLR with `cycle_momentum` (Smith 2018, arXiv
    1803.09820), its `base_momentum` and, as `momentum`, its `max_momentum`.
    """
    if config.schedule != "onecycle" or not config.base_momentum:
        return config.momentum
    outer, middle = config.momentum, config.base_momentum
    return _onecycle(outer, middle, outer, step, total_steps, config.pct_start)


def set_rates(
    optimizer: torch.optim.Optimizer, config: TrainConfig, step: int, total_steps: int
) -> float:
    """Sets learning rate and momentum of a step; returns the learning rate."""
    lr, momentum = lr_at(config, step, total_steps), momentum_at(config, step, total_steps)
    for group in optimizer.param_groups:
        group["lr"] = lr
        if config.optimizer == "adamw":
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum
    return lr


def ema_decay(ema: float, step: int) -> float:
    """The decay after `step` steps: it grows, so that the first random weights are soon forgotten.

    Source: TensorFlow's ExponentialMovingAverage with `num_updates`, min(decay, (1+n) / (10+n)).
    """
    return min(ema, (1 + step) / (10 + step))


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, decay: float) -> None:
    """average = decay * average + (1 - decay) * model for floats; integer buffers are copied."""
    theirs = model.state_dict()
    for name, mine in average.state_dict().items():
        if mine.is_floating_point():
            mine.lerp_(theirs[name], 1 - decay)
        else:
            mine.copy_(theirs[name])
