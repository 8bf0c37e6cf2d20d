"""The LR test against a loop written here, bit for bit; how it ends; what it leaves as it was."""

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.batches import TrainingBatches
from cifar_core.config import TrainConfig, make_config
from cifar_core.data import Dataset, open_dataset
from cifar_core.engine import train
from cifar_core.errors import ConfigError
from cifar_core.fields import bounds, choices, describe_accepted, validated
from cifar_core.lr_finder import Ending, LRFindConfig, LRPoint, range_test
from cifar_core.models import create_model
from cifar_core.optim import create_optimizer
from cifar_core.records import EpochRecord
from cifar_core.runtime import choose_runtime, cpu_bf16_instructions
from cifar_core.seeds import Purpose, derive_seed
from cifar_core.suggest import centred, steepest

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


def config_of(**changes: Any) -> TrainConfig:
    """Three steps an epoch of 16 of the tiny data's 50 training images."""
    values: dict[str, Any] = {
        "model": "convnet",
        "batch_size": 16,
        "val_size": 14,
        "device": "cpu",
        "precision": "fp32",
        "num_workers": 0,
    }
    return make_config({**values, **changes})


def find_of(**changes: Any) -> LRFindConfig:
    return validated(LRFindConfig, {"num_steps": 10, "end_lr": 1, **changes})


def searched(
    config: TrainConfig, find: LRFindConfig, data: Dataset
) -> tuple[Ending, list[LRPoint]]:
    points: list[LRPoint] = []
    return range_test(config, find, data, points.append, lambda: False), points


def textbook(config: TrainConfig, lrs: list[float], data: Dataset) -> list[float]:
    """The losses of a loop as any tutorial writes it, with these learning rates."""
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    torch.manual_seed(derive_seed(config.seed, Purpose.INIT))
    model = create_model(config.model, 10)
    if config.model == "speednet":
        model.init_from_data(batches.sample(2000))  # pyright: ignore[reportCallIssue] # of this model
    model.to(memory_format=runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
    optimizer = create_optimizer(config, model)
    smoothed = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    stream = ((e, batch) for e in itertools.count() for batch in batches.epoch(e))
    losses = []
    for step, (lr, (epoch, (images, targets))) in enumerate(zip(lrs, stream, strict=False)):
        torch.manual_seed(derive_seed(config.seed, Purpose.DROPOUT, epoch, step))
        for group in optimizer.param_groups:
            group["lr"] = lr
        with torch.autocast("cpu", torch.bfloat16, config.precision == "bf16"):
            logits = model(images)
        loss = smoothed(logits.float(), targets)
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


def test_loader_workers_end_with_it(tiny: Dataset) -> None:
    config, points = config_of(augment=LOADED, num_workers=1), list[LRPoint]()
    ending = range_test(config, find_of(), tiny, points.append, lambda: len(points) >= 2)
    assert ending == "stopped"
    assert not psutil.Process().children()


def test_a_model_that_can_learn_gets_a_suggestion() -> None:
    config = config_of(train_size=512, batch_size=32, val_size=0)
    _, points = searched(config, find_of(num_steps=60, end_lr=10), open_dataset("shapes10"))
    found = steepest([p.lr for p in points], centred([p.raw for p in points]))
    assert found is not None
    assert 3e-3 < found.lr < 3


def test_too_few_images_are_refused(tiny: Dataset) -> None:
    with pytest.raises(ConfigError, match="batch_size = 64"):
        searched(config_of(batch_size=64), find_of(), tiny)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start_lr": 0}, "start_lr = 0 is not accepted; give a number above 0 to 100."),
        ({"num_steps": 9}, "num_steps = 9 is not accepted; give a whole number from 10 to 1000."),
        ({"mode": "cosine"}, "mode = 'cosine' is not accepted; give one of exp, linear."),
        ({"smoothing": 1}, "smoothing = 1 is not accepted; give a number from 0 to below 1."),
        ({"diverge_factor": 1}, "give a number above 1 to 1000."),
        ({"end_lr": math.nan}, "end_lr = nan is not accepted"),
        ({"start_lr": True}, "Start_lr = True is not a number."),
        ({"seeds": 3}, "Unknown setting 'seeds'. Known: start_lr, end_lr"),
        ({"start_lr": 2, "end_lr": 2}, "The learning rate has to rise, but end_lr = 2 is not"),
    ],
)
def test_settings_out_of_bounds_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validated(LRFindConfig, values)
    assert message in str(caught.value)


def test_settings_carry_what_a_form_needs() -> None:
    for name, field in LRFindConfig.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["group"] == "LR test"
        assert choices(field) or None not in bounds(field)
        assert describe_accepted(field)
    plain = LRFindConfig().model_dump(mode="json")
    assert validated(LRFindConfig, plain) == LRFindConfig()
    assert validated(LRFindConfig, {k: str(v) for k, v in plain.items()}) == LRFindConfig()
