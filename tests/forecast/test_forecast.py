"""Forecasts from a speed: hand-computed, and what the sentence about the limit says."""

from dataclasses import replace
from pathlib import Path

import pytest

from cifar_core.augment import PRESETS
from cifar_core.config.train import make_config
from cifar_core.forecast import forecast as module
from cifar_core.forecast.disk_space import run_bytes
from cifar_core.forecast.forecast import (
    IMAGE_BYTES,
    START_S,
    Throughput,
    forecast,
    forecast_from,
    note_path,
)
from cifar_core.system.files import write_json
from tests.real_jobs import small

SPEED = Throughput(train=100, evaluate=1000, device=125, memory_bytes=10**9, loader=400)


def test_a_forecast_is_the_start_and_all_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config({"data": "cifar10", "val_size": 5000, "epochs": 3})
    monkeypatch.setattr(module, "is_ready", lambda data: False)  # counted as it will be
    found = forecast_from(SPEED, config)  # 45,000 images to train on, 15,000 to evaluate
    assert found.num_train == 45_000
    assert (found.epoch_s, found.eval_s) == (450 + 15, 15)
    assert found.seconds == START_S + 3 * 465
    assert found.memory_bytes == 10**9 + 60_000 * 2 * IMAGE_BYTES
    assert found.disk_bytes == run_bytes(config)


def test_every_epoch_starts_the_loader_again() -> None:
    config = small(epochs=4)
    slower = forecast_from(replace(SPEED, start_s=0.5), config)
    assert slower.seconds == pytest.approx(forecast_from(SPEED, config).seconds + 4 * 0.5)


def test_images_are_once_on_a_gpu_and_twice_in_memory() -> None:
    config = small(train_size=512, val_size=256)
    on_gpu = forecast_from(replace(SPEED, image_bytes=IMAGE_BYTES), config)
    num_images = (forecast_from(SPEED, config).memory_bytes - 10**9) // (2 * IMAGE_BYTES)
    assert on_gpu.memory_bytes == 10**9 + num_images * IMAGE_BYTES
    assert num_images > 512 + 256


def test_a_forecast_counts_the_images_that_are_there() -> None:
    found = forecast_from(SPEED, small())
    assert found.num_train == 512


def test_nothing_is_forecast_for_a_speed_that_is_not_known(own_cache: Path) -> None:
    config = small(batch_size=77)
    assert forecast(config) is None
    note_path(config).parent.mkdir(parents=True)
    write_json(note_path(config), vars(SPEED))
    assert forecast(config) == forecast_from(SPEED, config)


@pytest.mark.parametrize(
    ("train", "loader", "waiting", "limit"),
    [
        (99, 99, 0.01, "loader"),
        (50, 50, 0.5, "loader"),  # side by side, the slower one sets the pace
        (25, 25, 0.75, "loader"),
        (80, 400, 0.2, "device"),  # in turns: 1 / 80 = 1 / 100 + 1 / 400
        (20, 400, 0.2, "device"),  # slowed by something else
        (110, 400, 0.0, "device"),  # measured so by chance
    ],
)
def test_waiting_is_what_batches_that_were_there_would_save(
    train: float, loader: float, waiting: float, limit: str
) -> None:
    speed = Throughput(train, 1000, device=100, memory_bytes=1, loader=loader)
    assert speed.waiting == pytest.approx(waiting)
    assert speed.limit == limit


@pytest.mark.parametrize(
    ("train", "loader", "augment", "said"),
    [
        (97, 2000, "standard", "The model computes 97% of the training time; augmentation is not "),
        (98, 99, "strong", "The model computes 98% of the training time; augmentation is not "),
        (80, 400, "standard", "Augmentation takes 20% of the training time; the model is the "),
        (
            40,
            40,
            "strong",
            "Augmentation is the bottleneck: the model waits 60% of the time. More num_",
        ),
        (
            40,
            60,
            "standard",
            "Augmentation is the bottleneck: the model waits 60% of the time. Fewer ",
        ),
    ],
)
def test_the_limit_is_told_in_a_sentence(
    train: float, loader: float, augment: str, said: str
) -> None:
    speed = Throughput(train, 1000, device=100, memory_bytes=1, loader=loader)
    found = forecast_from(speed, small(augment=PRESETS[augment]))
    assert found.verdict.startswith(said)
    assert (found.waiting, found.limit) == (speed.waiting, speed.limit)
