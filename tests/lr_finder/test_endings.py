"""How the LR test ends: stopped, diverged, at a loss that is no number, or before it begins."""

import itertools
import math
from typing import Any

import psutil
import pytest
import torch.nn.functional as F
from torch import Tensor

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.data import Dataset
from cifar_core.errors import ConfigError
from cifar_core.lr_finder.range_test import LRPoint, range_test
from tests.builders import config_of, find_of, searched

LOADED = AugmentSpec(operations=(Operation(name="Affine"), Operation(name="CutMix", p=0.5)))


@pytest.mark.parametrize("num_steps", [0, 1, 5])
def test_a_stop_is_heard_at_every_step(num_steps: int, tiny: Dataset) -> None:
    points: list[LRPoint] = []
    ending = range_test(
        config_of(), find_of(), tiny, points.append, lambda: len(points) >= num_steps
    )
    assert ending == "stopped"
    assert len(points) == num_steps


def test_a_stop_after_the_last_step_changes_nothing(tiny: Dataset) -> None:
    points: list[LRPoint] = []
    ending = range_test(config_of(), find_of(), tiny, points.append, lambda: len(points) >= 10)
    assert (ending, len(points)) == ("completed", 10)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("step", [1, 4, 10])
def test_a_loss_that_is_no_number_ends_it(
    step: int, bad: float, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, cross_entropy = itertools.count(1), F.cross_entropy

    def failing(*arguments: Any, **options: Any) -> Tensor:
        loss = cross_entropy(*arguments, **options)
        return loss + bad if next(steps) == step else loss

    monkeypatch.setattr(F, "cross_entropy", failing)
    ending, points = searched(config_of(), find_of(), tiny)
    assert ending == "not a number"
    assert len(points) == step - 1
    assert all(math.isfinite(point.loss) and math.isfinite(point.raw) for point in points)


def test_weights_that_overflow_end_it(tiny: Dataset) -> None:
    config = config_of(l1=1, optimizer="sgd", weight_decay=10)
    find = find_of(start_lr=90, end_lr=100, num_steps=200, diverge_factor=1000, smoothing=0.01)
    ending, points = searched(config, find, tiny)
    assert ending in ("not a number", "diverged")
    assert len(points) < 200
    assert all(math.isfinite(point.loss) for point in points)


def test_divergence_ends_it_early(tiny: Dataset) -> None:
    find = find_of(start_lr=1e-3, end_lr=100, num_steps=60, diverge_factor=1.5, smoothing=0.9)
    ending, points = searched(config_of(), find, tiny)
    losses = [point.loss for point in points]
    assert ending == "diverged"
    assert len(points) < 60
    diverged = [loss > 1.5 * min(losses[: i + 1]) for i, loss in enumerate(losses)]
    assert diverged == [False] * (len(points) - 1) + [True]


def test_loader_workers_end_with_it(tiny: Dataset) -> None:
    config, points = config_of(augment=LOADED, num_workers=1), list[LRPoint]()
    before = set(psutil.Process().children())
    ending = range_test(config, find_of(), tiny, points.append, lambda: len(points) >= 2)
    assert ending == "stopped"
    assert set(psutil.Process().children()) == before


def test_too_few_images_are_refused(tiny: Dataset) -> None:
    with pytest.raises(ConfigError, match="batch_size = 64"):
        searched(config_of(batch_size=64), find_of(), tiny)
