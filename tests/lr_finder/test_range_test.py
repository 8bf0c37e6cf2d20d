"""The LR test against a loop written here, bit for bit; what it leaves as it was."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset, open_dataset
from cifar_core.lr_finder.curve import curve_of
from cifar_core.lr_finder.range_test import LRPoint, range_test
from cifar_core.lr_finder.suggest import explain_none, suggest_all, suggest_lr
from cifar_core.records.records import EpochRecord
from cifar_core.system.runtime import choose_runtime, cpu_bf16_instructions
from cifar_core.system.seeds import Purpose, derive_seed
from cifar_core.training.batches import TrainingBatches
from cifar_core.training.engine import train
from cifar_core.training.optim import create_optimizer
from tests.builders import config_of, find_of, searched, textbook_loss, textbook_model
from tests.made_up_data import made_up

MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="MixUp", p=0.6)))
LOADED = AugmentSpec(operations=(Operation(name="Affine"), Operation(name="CutMix", p=0.5)))
CASES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "contiguous": {"memory_format": "contiguous"},
    "adamw": {"optimizer": "adamw"},
    "l1": {"l1": 1e-3},
    "label smoothing": {"label_smoothing": 0.2},
    "dropout": {"model": "sepnet_v1"},
    "mixup": {"augment": MIXED},
    "albumentations": {"augment": LOADED},
    "ema": {"ema": 0.9},
    "speednet": {"model": "speednet"},
    "bf16": {"precision": "bf16"},
}


def textbook(config: TrainConfig, lrs: list[float], data: Dataset) -> list[float]:
    """The losses of a loop as any tutorial writes it, with these learning rates."""
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    model = textbook_model(config, batches)
    optimizer = create_optimizer(config, model)
    stream = ((e, batch) for e in itertools.count() for batch in batches.epoch(e))
    losses = []
    for step, (lr, (epoch, (images, targets))) in enumerate(zip(lrs, stream, strict=False)):
        torch.manual_seed(derive_seed(config.seed, Purpose.DROPOUT, epoch, step))
        for group in optimizer.param_groups:
            group["lr"] = lr
        with torch.autocast("cpu", torch.bfloat16, config.precision == "bf16"):
            logits = model(images)
        loss = textbook_loss(config, logits.float(), targets)
        weights = torch.stack([p.abs().sum() for p in model.parameters() if p.ndim > 1])
        optimizer.zero_grad()
        (loss + config.l1 * weights.sum() if config.l1 else loss).backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", CASES)
def test_its_losses_are_those_of_a_textbook_loop(name: str, tiny: Dataset) -> None:
    if name == "bf16" and not cpu_bf16_instructions():
        pytest.skip("the CPU has no bf16 instructions")
    config = config_of(**CASES[name])
    ending, points = searched(config, find_of(smoothing=0.3), tiny)
    assert ending == "completed"
    with torch.random.fork_rng():
        losses = textbook(config, [point.lr for point in points], tiny)
    assert [point.raw for point in points] == losses
    running = itertools.accumulate(losses, lambda mean, loss: 0.3 * loss + (1 - 0.3) * mean)
    assert [point.loss for point in points] == pytest.approx(list(running), rel=1e-12)


def test_the_loss_is_the_one_that_the_run_will_use(tiny: Dataset) -> None:
    config = config_of(loss="focal", focal_gamma=1.5)
    _, points = searched(config, find_of(), tiny)
    with torch.random.fork_rng():
        losses = textbook(config, [point.lr for point in points], tiny)
    # The two round differently, which grows from step to step.
    assert [point.raw for point in points[:5]] == pytest.approx(losses[:5], rel=1e-4)


def test_without_smoothing_the_loss_is_the_raw_one(tiny: Dataset) -> None:
    _, points = searched(config_of(), find_of(smoothing=0), tiny)
    assert [point.loss for point in points] == [point.raw for point in points]


@pytest.mark.parametrize("num_steps", [10, 17])
@pytest.mark.parametrize(
    ("mode", "lrs"),
    [("exp", np.geomspace), ("linear", np.linspace)],
)
def test_learning_rates_go_from_start_to_end(
    mode: str, lrs: Callable[..., Any], num_steps: int, tiny: Dataset
) -> None:
    find = find_of(mode=mode, num_steps=num_steps, start_lr=2e-4, end_lr=0.5)
    _, points = searched(config_of(), find, tiny)
    assert [point.step for point in points] == list(range(1, num_steps + 1))
    expected = lrs(2e-4, 0.5, num_steps).tolist()
    assert [point.lr for point in points] == pytest.approx(expected, rel=1e-12)
    assert points[0].lr == 2e-4


def test_it_repeats_itself(tiny: Dataset) -> None:
    config, find = config_of(model="sepnet_v1", augment=MIXED), find_of()
    assert searched(config, find, tiny) == searched(config, find, tiny)


def test_points_come_as_they_are_made(tiny: Dataset) -> None:
    points: list[LRPoint] = []
    seen: list[int] = []

    def should_stop() -> bool:
        seen.append(len(points))
        return False

    range_test(config_of(), find_of(), tiny, points.append, should_stop)
    assert seen == list(range(10))
    assert len(points) == 10


def random_states() -> tuple[bytes, bytes, object, object]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return (
        torch.get_rng_state().numpy().tobytes(),
        np.asarray(keys).tobytes(),
        (name, rest),
        (random.getstate()),
    )


@pytest.mark.parametrize("case", ["dropout", "albumentations"])
@pytest.mark.parametrize("num_steps", [10, 3])
def test_random_state_is_as_before(case: str, num_steps: int, tiny: Dataset) -> None:
    before, points = random_states(), list[LRPoint]()
    config = config_of(**CASES[case])
    range_test(config, find_of(), tiny, points.append, lambda: len(points) >= num_steps)
    assert random_states() == before


def test_a_mistake_of_the_caller_comes_through(tiny: Dataset) -> None:
    def publish(point: LRPoint) -> None:
        raise OSError("the disk is full")

    before = random_states()
    with pytest.raises(OSError, match="the disk is full"):
        range_test(config_of(), find_of(), tiny, publish, lambda: False)
    assert random_states() == before


def test_training_afterwards_is_as_without_it(tiny: Dataset) -> None:
    config = config_of(epochs=2, model="sepnet_v1")

    def losses() -> list[float]:
        return [r.train_loss for r in train(config, tiny) if isinstance(r, EpochRecord)]

    expected = losses()
    searched(config, find_of(), tiny)
    assert losses() == expected


def test_nothing_is_printed(tiny: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    searched(config_of(), find_of(), tiny)
    searched(config_of(), find_of(end_lr=100, diverge_factor=1.01, smoothing=0.9), tiny)
    assert capfd.readouterr() == ("", "")


def test_what_the_caller_prints_is_seen(tiny: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    range_test(config_of(), find_of(), tiny, print, lambda: False)
    shown = capsys.readouterr()
    assert shown.out.count("LRPoint(") == 10
    assert shown.err == ""


def test_a_model_that_can_learn_gets_a_suggestion() -> None:
    data = made_up(512, 10)
    data.train.images[:] //= 2  # each class has a tint of its own
    data.train.images[..., 0] += (12 * data.train.labels)[:, None, None]
    config = config_of(train_size=512, batch_size=32, val_size=0)
    _, points = searched(config, find_of(num_steps=60, end_lr=10), data)
    found = suggest_lr(points)
    assert found is not None
    assert 3e-3 < found.lr < 3


@pytest.mark.parametrize("seed", range(3))
def test_rates_too_small_to_learn_with_get_none_and_the_reason(
    seed: int, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_CACHE", str(shared_cache))
    config = config_of(train_size=512, batch_size=32, val_size=50, seed=seed)
    find = find_of(num_steps=30, start_lr=1e-9, end_lr=1e-8)
    _, points = searched(config, find, open_dataset("shapes10"))
    curve = curve_of(points)
    assert len(points) == 30
    assert suggest_lr(points) is None
    assert suggest_all(curve) == []
    assert explain_none(curve).startswith("No suggestion from this curve. ")
