"""Forecasts from a speed: hand-computed, and what the sentence about the limit says."""

import pytest

from cifar_core import forecast as module
from cifar_core.config import make_config
from cifar_core.forecast import IMAGE_BYTES, START_S, Forecast, forecast, forecast_from
from cifar_core.preflight import Speed
from cifar_core.space import run_bytes
from tests.jobs import small

SPEED = Speed(train=100, evaluate=1000, device=125, memory_bytes=10**9)


def test_a_forecast_is_the_start_and_all_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config({"data": "cifar10", "val_size": 5000, "epochs": 3})
    monkeypatch.setattr(module, "is_ready", lambda data: False)  # counted as it will be
    found = forecast_from(SPEED, config)  # 45,000 images to train on, 15,000 to evaluate
    assert found.num_train == 45_000
    assert (found.epoch_s, found.eval_s) == (450 + 15, 15)
    assert found.seconds == START_S + 3 * 465
    assert found.memory_bytes == 10**9 + 60_000 * IMAGE_BYTES
    assert found.disk_bytes == run_bytes(config)


def test_a_forecast_counts_the_images_that_are_there() -> None:
    found = forecast_from(SPEED, small())
    assert found.num_train == 512


def test_nothing_is_forecast_for_a_speed_that_is_not_known(own_cache: object) -> None:
    assert forecast(make_config({"batch_size": 77})) is None


@pytest.mark.parametrize(
    ("train", "waiting", "said"),
    [
        (125, 0.0, "no limit: it takes 0% of"),
        (200, 0.0, "no limit"),
        (100, 0.2, "The model waits 20% of the training time"),
        (25, 0.8, "Augmentation is the limit: the model waits 80% of the time. More loader"),
    ],
)
def test_the_limit_is_told_from_how_long_the_device_waits(
    train: float, waiting: float, said: str
) -> None:
    speed = Speed(train, 1000, device=125, memory_bytes=1)
    assert speed.waiting == pytest.approx(waiting)
    found = forecast_from(speed, small())
    assert isinstance(found, Forecast)
    assert said in found.limit
