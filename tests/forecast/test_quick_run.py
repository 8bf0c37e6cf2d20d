"""A run sized for a minute: as many epochs as fit, else as many images."""

from dataclasses import asdict

import pytest

from cifar_core.config.recipes import recipe
from cifar_core.errors import RunError
from cifar_core.forecast.forecast import Throughput, forecast, note_path
from cifar_core.forecast.quick_run import GOAL_S, MAX_EPOCHS, MIN_IMAGES, quick_config
from cifar_core.system.files import write_json

# Shapes-10 has 20,000 training images, of which the recipe holds out 5,000, and 2,000 test images.
# They are not drawn yet in these tests, and known all the same.
NUM_TRAIN, NUM_EVALUATED = 15_000, 7_000


@pytest.fixture
def speed(own_cache: object) -> "SpeedNote":
    return SpeedNote()


class SpeedNote:
    """Notes a speed of the recipe "quick" on this machine."""

    def __call__(self, train: float, evaluate: float, start_s: float = 0.0) -> None:
        note = note_path(recipe("quick"))
        note.parent.mkdir(parents=True, exist_ok=True)
        values = Throughput(train, evaluate, train, 10**9, start_s=start_s)
        write_json(note, {**asdict(values), "loader": 1e9})


@pytest.mark.parametrize(
    ("train", "epochs"),
    [
        (NUM_TRAIN / 20, 2),  # 20 s and 2 s of evaluation; 50 s are left after the start
        (NUM_TRAIN / 8, 5),
        (NUM_TRAIN / 0.5, MAX_EPOCHS),
    ],
)
def test_as_many_epochs_as_fit(speed: SpeedNote, train: float, epochs: int) -> None:
    speed(train, NUM_EVALUATED / 2)
    config = quick_config("shapes10")
    expected = forecast(config)
    assert expected is not None
    assert (config.epochs, config.train_size, config.data) == (epochs, 0, "shapes10")
    assert expected.seconds == pytest.approx(10 + epochs * (NUM_TRAIN / train + 2))
    assert expected.seconds <= GOAL_S


def test_a_slow_machine_trains_on_fewer_images(speed: SpeedNote) -> None:
    speed(100, NUM_EVALUATED / 10, start_s=5)  # 60 - 10 - 10 - 5 s leave 3,500 images
    config = quick_config("shapes10")
    expected = forecast(config)
    assert expected is not None
    assert (config.epochs, config.train_size) == (1, 3500)
    assert expected.seconds == pytest.approx(GOAL_S)


def test_a_machine_that_is_too_slow_is_told(speed: SpeedNote) -> None:
    speed(MIN_IMAGES / 100, NUM_EVALUATED / 10)
    with pytest.raises(RunError, match="no training fits into 60 s"):
        quick_config("shapes10")
