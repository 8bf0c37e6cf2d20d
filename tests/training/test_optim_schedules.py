"""Learning rates and momenta against torch's own schedulers and hand tables."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from cifar_core.config.train import make_config
from cifar_core.training.optim import (
    create_optimizer,
    lr_at,
    momentum_at,
    set_rates,
)


def schedule_of(schedule: str, total_steps: int, **values: Any) -> list[float]:
    config = make_config({"schedule": schedule, **values})
    return [lr_at(config, step, total_steps) for step in range(total_steps)]


def torch_onecycle(max_lr: float, total_steps: int, pct_start: float) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr, total_steps=total_steps, pct_start=pct_start, cycle_momentum=False
    )
    found = []
    for _ in range(total_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) < total_steps:
            scheduler.step()
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("pct_start", [0.1, 0.3, 0.51, 0.95])
@pytest.mark.parametrize("total_steps", [3, 7, 64, 391])
def test_rates_are_those_of_torchs_onecycle_with_its_momentum(
    total_steps: int, pct_start: float, optimizer: str
) -> None:
    values = {"optimizer": optimizer, "lr": 0.37, "pct_start": pct_start}
    config = make_config({**values, "momentum": 0.95, "base_momentum": 0.85})
    ours, theirs = (create_optimizer(config, nn.Linear(2, 2)) for _ in range(2))
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        theirs, 0.37, total_steps=total_steps, pct_start=pct_start
    )
    for step in range(total_steps):
        set_rates(ours, config, step, total_steps)
        for mine, other in zip(ours.param_groups, theirs.param_groups, strict=True):
            for name in ("lr", "betas" if optimizer == "adamw" else "momentum"):
                assert mine[name] == pytest.approx(other[name], rel=1e-12), (step, name)
        theirs.step()
        if step < total_steps - 1:
            scheduler.step()


@pytest.mark.parametrize("changes", [{}, {"schedule": "cosine", "base_momentum": 0.5}])
def test_otherwise_the_momentum_is_constant(changes: dict[str, Any]) -> None:
    config = make_config({"momentum": 0.7, **changes})
    assert {momentum_at(config, step, 10) for step in range(10)} == {0.7}


# At total_steps * pct_start = 1 torch's formula divides by zero; the test after it has that.
@pytest.mark.parametrize("pct_start", [0.05, 0.1, 0.22, 0.3, 0.51, 0.75, 0.95])
@pytest.mark.parametrize("total_steps", [2, 3, 5, 7, 11, 64, 391, 1173])
def test_onecycle_is_that_of_torch_at_every_step(total_steps: int, pct_start: float) -> None:
    found = schedule_of("onecycle", total_steps, lr=0.37, pct_start=pct_start)
    assert found == pytest.approx(torch_onecycle(0.37, total_steps, pct_start), rel=1e-12)


@pytest.mark.parametrize(("total_steps", "pct_start"), [(2, 0.5), (5, 0.2), (10, 0.1), (20, 0.05)])
def test_onecycle_may_reach_its_maximum_at_the_first_step(
    total_steps: int, pct_start: float
) -> None:
    found = schedule_of("onecycle", total_steps, lr=0.5, pct_start=pct_start)
    assert found[0] == 0.5
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(0.5 / 25 / 1e4)


def test_onecycle_equals_a_hand_table() -> None:
    # 11 steps, the peak at step 0.5 * 11 - 1 = 4.5; arms from 0.04 to 1 and on to 4e-6.
    def arm(start: float, end: float, share: float) -> float:
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    up = [arm(0.04, 1, step / 4.5) for step in range(5)]
    down = [arm(1, 4e-6, (step - 4.5) / 5.5) for step in range(5, 11)]
    assert schedule_of("onecycle", 11, lr=1, pct_start=0.5) == pytest.approx(up + down)


@pytest.mark.parametrize("schedule", ["onecycle", "cosine", "step", "constant"])
def test_a_run_of_one_step_has_a_learning_rate(schedule: str) -> None:
    (found,) = schedule_of(schedule, 1, lr=0.1, epochs=1)
    assert 0 < found <= 0.1


def test_cosine_equals_a_hand_table() -> None:
    root = math.sqrt(2) / 2  # the cosine of 45 degrees
    table = [1, (1 + root) / 2, 0.5, (1 - root) / 2]
    assert schedule_of("cosine", 4, lr=1) == pytest.approx(table)
    assert schedule_of("cosine", 4, lr=0.2) == pytest.approx([0.2 * lr for lr in table])


@pytest.mark.parametrize("total_steps", [1, 2, 7, 64, 391])
def test_cosine_and_step_are_those_of_torch_at_every_step(total_steps: int) -> None:
    schedulers = torch.optim.lr_scheduler
    for schedule, values, make in (
        ("cosine", {}, lambda sgd: schedulers.CosineAnnealingLR(sgd, total_steps)),
        ("step", {"step_epochs": 3, "epochs": total_steps}, lambda sgd: schedulers.StepLR(sgd, 3)),
    ):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.37)
        scheduler = make(optimizer)
        for lr in schedule_of(schedule, total_steps, lr=0.37, **values):
            assert lr == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9), schedule
            optimizer.step()
            scheduler.step()


def test_step_equals_a_hand_table() -> None:
    # Five epochs of two steps; a drop to a half after every second epoch.
    found = schedule_of("step", 10, lr=0.8, epochs=5, step_epochs=2, gamma=0.5)
    assert found == pytest.approx([0.8] * 4 + [0.4] * 4 + [0.2] * 2)


def test_step_drops_nothing_in_a_run_shorter_than_its_first_drop() -> None:
    assert schedule_of("step", 9, lr=0.1, epochs=3, step_epochs=3) == [0.1] * 9


def test_constant_is_constant() -> None:
    assert schedule_of("constant", 5, lr=0.03) == [0.03] * 5


@pytest.mark.parametrize("schedule", ["onecycle", "cosine", "step", "constant"])
def test_the_learning_rate_depends_on_the_step_alone(schedule: str) -> None:
    config = make_config({"schedule": schedule, "epochs": 4, "step_epochs": 1})
    forwards = [lr_at(config, step, 40) for step in range(40)]
    backwards = [lr_at(config, step, 40) for step in reversed(range(40))]
    assert forwards == backwards[::-1]
    assert all(lr > 0 for lr in forwards)
