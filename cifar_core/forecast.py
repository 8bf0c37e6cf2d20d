"""What a run will take, from speeds measured on this machine: time, memory, disk."""

from dataclasses import dataclass

from cifar_core.config import TrainConfig
from cifar_core.data.dataset import split_indices
from cifar_core.data.store import is_ready, open_dataset
from cifar_core.preflight import Speed, known_speed
from cifar_core.space import run_bytes

START_S = 10.0  # imports and opening the data, measured on two cores
IMAGE_BYTES = 32 * 32 * 3


@dataclass(frozen=True)
class Forecast:
    """What a run will take, and what will limit it.

    Attributes:
        num_train: Images that an epoch trains on.
        seconds: Of the whole run, its start included.
        epoch_s: Of an epoch, its evaluation included; `eval_s` of the evaluation alone.
        train, evaluate: Images per second.
        memory_bytes: Peak of the worker; of the GPU's memory where one computes.
        disk_bytes: Of the checkpoints it keeps.
        waiting: Share of the training time, 0..1, that the device waits for augmented images.
    """

    num_train: int
    seconds: float
    epoch_s: float
    eval_s: float
    train: float
    evaluate: float
    memory_bytes: int
    disk_bytes: int
    waiting: float

    @property
    def limit(self) -> str:
        """What bounds the speed, in a sentence."""
        if self.waiting < 0.15:
            return f"Augmentation is no limit: it takes {self.waiting:.0%} of the training time."
        if self.waiting < 0.5:
            return f"The model waits {self.waiting:.0%} of the training time for augmented images."
        return (
            f"Augmentation is the limit: the model waits {self.waiting:.0%} of the time. More "
            "loader workers, or operations that have a batched kernel, would help."
        )


def forecast(config: TrainConfig) -> Forecast | None:
    """What a run with this config will take here; None as long as its speed is not known.

    Raises:
        CifarCoreError: if its data cannot be split as it says.
    """
    speed = known_speed(config)
    return forecast_from(speed, config) if speed else None


def forecast_from(speed: Speed, config: TrainConfig) -> Forecast:
    """The same for a speed at hand.

    Raises:
        CifarCoreError: as `forecast`.
    """
    num_train, num_test = _sizes(config.data)
    train, val = split_indices(num_train, config.val_size, config.train_size, config.seed)
    num_evaluated = len(val) + num_test
    epoch_s = speed.epoch_s(len(train), num_evaluated)
    return Forecast(
        num_train=len(train),
        seconds=START_S + config.epochs * epoch_s,
        epoch_s=epoch_s,
        eval_s=num_evaluated / speed.evaluate,
        train=speed.train,
        evaluate=speed.evaluate,
        memory_bytes=speed.memory_bytes + IMAGE_BYTES * (len(train) + num_evaluated),
        disk_bytes=run_bytes(config),
        waiting=speed.waiting,
    )


def _sizes(data: str) -> tuple[int, int]:
    """Training and test images; of CIFAR-10 even before it is decoded."""
    if not is_ready(data):
        return 50_000, 10_000
    opened = open_dataset(data)
    return len(opened.train), len(opened.test)
