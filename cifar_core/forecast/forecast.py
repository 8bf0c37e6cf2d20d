"""What a run will take, from speeds measured on this machine: time, memory, disk.

`measuring` measures; here are its notes and what follows from them, without torch.
"""

import hashlib
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path

from cifar_core.config.train import TrainConfig
from cifar_core.data.dataset import split_indices
from cifar_core.data.store import SHAPES_SIZES, is_ready, open_dataset
from cifar_core.forecast.disk_space import run_bytes
from cifar_core.system.files import read_json
from cifar_core.system.paths import cache_dir
from cifar_core.system.runtime import machine_key

START_S = 10.0  # imports and opening the data, measured on two cores
IMAGE_BYTES = 32 * 32 * 3
NOTICED = 0.15  # share of the time
DISTURBED = 0.15  # share of the machine


@dataclass(frozen=True)
class Throughput:
    """How a config runs here.

    Attributes:
        train, evaluate: Images per second of the whole path.
        device: Images per second of the training steps alone, on a batch that is there already.
        memory_bytes: Peak of the process, without the images of the data set; of what torch
            allocated on the GPU where one computes. Loader workers are left out.
        loader: Images per second of the batches alone, which nobody trains on.
        start_s: Seconds until an epoch's first batch is there.
        image_bytes: What each image of the data set adds to the memory; on a CPU it is there
            twice, as a tensor and in the mapped file.
        compile_s: Seconds that compiling takes; 0 where nothing is compiled.
        eager: Images per second of the whole path without compiling; 0 as above.
        others: Share of the CPUs or the GPU, 0..1, that other programs took meanwhile.
    """

    train: float
    evaluate: float
    device: float
    memory_bytes: int
    loader: float = math.inf
    start_s: float = 0.0
    image_bytes: int = 2 * IMAGE_BYTES
    compile_s: float = 0.0
    eager: float = 0.0
    others: float = 0.0

    @property
    def disturbed(self) -> bool:
        """Whether other programs may have made it slower than it is."""
        return self.others > DISTURBED

    @property
    def waiting(self) -> float:
        """Share of the training time, 0..1, that would be saved if all batches were there already.

        That is more than the time in which nothing but a batch is awaited: on a CPU the loader's
        workers also take cores from the steps. It is no more than if both worked in turns; what
        was measured beyond that was another program.
        """
        in_turns = self.device / (self.device + self.loader)
        return min(max(0.0, 1 - self.train / self.device), in_turns)

    @property
    def limit(self) -> str:
        """What is slower alone, "loader" or "device".

        Working side by side it sets the pace; working in turns it takes most of the time.
        """
        return "loader" if self.loader < self.device else "device"

    def epoch_s(self, num_train: int, num_evaluated: int) -> float:
        """Seconds of an epoch that trains on so many images and is judged by so many."""
        return self.start_s + num_train / self.train + num_evaluated / self.evaluate


def note_path(config: TrainConfig) -> Path:
    """Where the speed of such a config is noted; what does not change it is left out."""
    relevant = config.model_dump(
        mode="json",
        include={
            "model",
            "augment",
            "batch_size",
            "optimizer",
            "ema",
            "l1",
            "device",
            "precision",
            "memory_format",
            "compile",
            "num_workers",
        },
    )
    key = json.dumps([relevant, machine_key()], sort_keys=True)
    return cache_dir() / "speeds" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def known_throughput(config: TrainConfig) -> Throughput | None:
    """The noted speed of such a config, if it was measured."""
    return read_throughput(note_path(config))


def read_throughput(note: Path) -> Throughput | None:
    """The speed in a note; None if it says why there is none, or is of another version."""
    raw = read_json(note) or {}
    known = {field.name for field in fields(Throughput)}
    return Throughput(**raw) if set(raw) == known else None


def failure(config: TrainConfig) -> str:
    """Why the measurement failed; empty if it did not."""
    return str((read_json(note_path(config)) or {}).get("error", ""))


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
        waiting: Share of the training time, 0..1, that augmentation costs.
        limit: "loader" or "device", whichever is slower alone.
        verdict: What bounds the speed, in a sentence.
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
    limit: str
    verdict: str


def forecast(config: TrainConfig) -> Forecast | None:
    """What a run with this config will take here; None as long as its speed is not known.

    Raises:
        CifarCoreError: if its data cannot be split as it says.
    """
    speed = known_throughput(config)
    return forecast_from(speed, config) if speed else None


def forecast_from(speed: Throughput, config: TrainConfig) -> Forecast:
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
        seconds=START_S + speed.compile_s + config.epochs * epoch_s,
        epoch_s=epoch_s,
        eval_s=num_evaluated / speed.evaluate,
        train=speed.train,
        evaluate=speed.evaluate,
        memory_bytes=speed.memory_bytes + speed.image_bytes * (len(train) + num_evaluated),
        disk_bytes=run_bytes(config),
        waiting=speed.waiting,
        limit=speed.limit,
        verdict=bottleneck(config, speed) + _compiling(speed, len(train)) + _disturbance(speed),
    )


def bottleneck(config: TrainConfig, speed: Throughput) -> str:
    """Whether model or augmentation limits a training, in a sentence."""
    share, batched = speed.waiting, config.augment.batched
    if share < NOTICED:
        return (
            f"The model computes {1 - share:.0%} of the training time; augmentation is not the "
            "bottleneck."
        )
    if speed.limit == "device":
        return f"Augmentation takes {share:.0%} of the training time; the model is the bottleneck."
    advice = (
        "Fewer operations" if batched else "More num_workers, or operations with a batched kernel,"
    )
    return (
        f"Augmentation is the bottleneck: the model waits {share:.0%} of the time. {advice} would "
        "help."
    )


def _compiling(speed: Throughput, num_train: int) -> str:
    """When compiling pays, in a sentence; empty where nothing is compiled."""
    if not speed.compile_s:
        return ""
    saved_s = num_train / speed.eager - num_train / speed.train
    if saved_s <= 0:
        return (
            f" torch.compile is not faster here, {speed.train:,.0f} vs. {speed.eager:,.0f} "
            "images/s: leave compile off."
        )
    return (
        f" Compiling takes {speed.compile_s:.0f} s and saves {saved_s:.1f} s per epoch: faster "
        f"from epoch {math.ceil(speed.compile_s / saved_s)} on."
    )


def _disturbance(speed: Throughput) -> str:
    """What else the machine did, in a sentence; empty where that was little."""
    if not speed.disturbed:
        return ""
    return (
        f" Measured while other programs used {speed.others:.0%} of the machine; measured again "
        "when it is idle."
    )


def _sizes(data: str) -> tuple[int, int]:
    """Training and test images; of CIFAR-10 and Shapes-10 even before they are decoded."""
    if data == "shapes10":
        return SHAPES_SIZES["train"], SHAPES_SIZES["test"]
    if not is_ready(data):
        return 50_000, 10_000
    opened = open_dataset(data)
    return len(opened.train), len(opened.test)
