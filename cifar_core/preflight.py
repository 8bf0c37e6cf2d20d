"""How fast a config runs on this machine: a few measured steps on made-up images.

`python -m cifar_core.preflight NOTE CONFIG` measures a config given as JSON and writes the speeds
to NOTE. Pages start it and read the note; they measure nothing themselves.
"""

import copy
import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_core.config import TrainConfig
from cifar_core.data import CLASSES, Dataset, Split
from cifar_core.data.dataset import histogram_of
from cifar_core.errors import CifarCoreError
from cifar_core.fields import parse_json
from cifar_core.files import read_json, write_json
from cifar_core.memory import peak_memory, resident_memory
from cifar_core.places import cache_dir
from cifar_core.processes import spawn
from cifar_core.runtime import decide, machine_key, probe
from cifar_core.turns import device_lock

if TYPE_CHECKING:
    from cifar_core.batches import TrainingBatches

TIMED_STEPS, EVALUATED = 4, 1000  # per pass


@dataclass(frozen=True)
class Speed:
    """How a config runs here.

    Attributes:
        train, evaluate: Images per second of the whole path.
        device: Images per second of the training steps alone, on a batch that is there already.
        memory_bytes: Peak of the process without the images of the data set; of the GPU's memory
            where one computes.
    """

    train: float
    evaluate: float
    device: float
    memory_bytes: int

    @property
    def waiting(self) -> float:
        """Share of the training time, 0..1, that the device waits for augmented images."""
        return max(0.0, 1 - self.train / self.device)

    def epoch_s(self, num_train: int, num_evaluated: int) -> float:
        """Seconds of an epoch that trains on so many images and is judged by so many."""
        return num_train / self.train + num_evaluated / self.evaluate


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
            "num_workers",
        },
    )
    key = json.dumps([relevant, machine_key()], sort_keys=True)
    return cache_dir() / "speeds" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def known_speed(config: TrainConfig) -> Speed | None:
    """The noted speed of such a config, if it was measured."""
    raw = read_json(note_path(config)) or {}
    known = {field.name for field in fields(Speed)}
    return Speed(**raw) if set(raw) == known else None


def failure(config: TrainConfig) -> str:
    """Why the measurement failed; empty if it did not."""
    return str((read_json(note_path(config)) or {}).get("error", ""))


def start_measuring(config: TrainConfig) -> "subprocess.Popen[bytes]":
    """Starts a measurement of low priority; `known_speed` will know its result."""
    note_path(config).unlink(missing_ok=True)  # of an earlier failure
    return spawn("cifar_core.preflight", str(note_path(config)), config.model_dump_json())


def measure(config: TrainConfig) -> Speed:
    """Trains a few steps and evaluates once; takes seconds.

    Raises:
        CifarCoreError: if the config cannot run here.
    """
    from cifar_core.batches import TrainingBatches
    from cifar_core.engine import TrainState, train_epoch
    from cifar_core.evaluation import log_probabilities
    from cifar_core.runtime import choose_runtime

    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    short = _short(config, runtime.device)
    batches = TrainingBatches(short, _made_up(short.batch_size * TIMED_STEPS), runtime)
    state = TrainState(short, batches, runtime)
    images = batches.evaluated["test"][0]
    before = resident_memory()

    def train(source: "TrainingBatches") -> None:
        deque(train_epoch(short, state, source), maxlen=0)
        state.epoch += 1

    def evaluate() -> None:
        for _ in log_probabilities(state.judged, images, batches.mean, batches.std, runtime):
            pass

    train(batches)  # to warm up
    num_images = short.batch_size * TIMED_STEPS
    device_s = _shortest_s(lambda: train(_ready(batches)), runtime.device)
    train_s = _shortest_s(lambda: train(batches), runtime.device)
    peak = peak_memory(runtime.device)
    if runtime.device == "cpu":  # what a batch takes grows with it
        peak = before + int((peak - before) * config.batch_size / short.batch_size)
    evaluate_s = _shortest_s(evaluate, runtime.device)
    speeds = (num_images / train_s, len(images) / evaluate_s, num_images / device_s)
    return Speed(*speeds, memory_bytes=peak)


def _short(config: TrainConfig, device: str) -> TrainConfig:
    """The config for a few steps on noise, which must not let it diverge.

    On a CPU the speed per image hardly depends on the batch; a large one would take minutes.
    """
    batch_size = min(config.batch_size, 256) if device == "cpu" else config.batch_size
    changes = {"epochs": 8, "val_size": 0, "train_size": 0, "batch_size": batch_size}
    gentle = {"lr": 1e-4, "schedule": "constant", "weight_decay": 0.0, "weights": ""}
    return config.model_copy(update={**changes, **gentle})


def _ready(batches: "TrainingBatches") -> "TrainingBatches":
    """The same batches, with a single one that is there already, again and again."""
    batch = next(batches.epoch(0))
    ready = copy.copy(batches)
    ready.epoch = lambda epoch, first_step=0: itertools.repeat(batch, batches.steps_per_epoch)  # pyright: ignore[reportAttributeAccessIssue] # of this copy alone
    return ready


def _shortest_s(work: Callable[[], None], device: str) -> float:
    """Seconds of the quicker one of two times."""
    import torch

    taken = []
    for _ in range(2):
        started = time.perf_counter()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _made_up(num_images: int) -> Dataset:
    import numpy as np

    def split(size: int) -> Split:
        generator = np.random.default_rng(size)
        images = generator.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8)
        labels = np.arange(size, dtype=np.uint8) % 10
        return Split(images, labels, histogram_of(images), "made up")

    return Dataset("Made up", CLASSES, split(num_images), split(EVALUATED), "made up")


def main(note: Path, config: str) -> None:
    """Measures a config given as JSON and writes the note."""
    if hasattr(os, "nice"):
        os.nice(5)
    note.parent.mkdir(parents=True, exist_ok=True)
    try:
        read = parse_json(TrainConfig, config, "config")
        runtime = decide(probe(), read.device, read.precision, read.memory_format)
        with device_lock(runtime.device):
            write_json(note, asdict(measure(read)))
    except CifarCoreError as error:
        write_json(note, {"error": str(error)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
