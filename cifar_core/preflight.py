"""How fast a config runs on this machine: a few measured steps on made-up images.

`python -m cifar_core.preflight NOTE CONFIG` measures a config given as JSON and writes the speeds
to NOTE. Pages start it and read the note; they measure nothing themselves.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cifar_core.config import TrainConfig
from cifar_core.data import CLASSES, Dataset, Split
from cifar_core.data.dataset import histogram_of
from cifar_core.errors import CifarCoreError
from cifar_core.fields import parse_json
from cifar_core.files import read_json, write_json
from cifar_core.launch import device_lock
from cifar_core.places import cache_dir
from cifar_core.processes import spawn
from cifar_core.runtime import decide, machine_key, probe

TIMED_STEPS, EVALUATED = 4, 1000  # per pass
START_S = 10.0  # imports and opening the data, measured on two cores


@dataclass(frozen=True)
class Speed:
    """Images per second while training and while evaluating."""

    train: float
    evaluate: float

    def run_s(self, config: TrainConfig, num_train: int, num_evaluated: int) -> float:
        """Seconds that a whole run will take, its start included.

        Args:
            num_train: Images an epoch trains on; `num_evaluated` those it is judged by.
        """
        epoch_s = num_train / self.train + num_evaluated / self.evaluate
        return START_S + config.epochs * epoch_s


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
    return Speed(**raw) if set(raw) == {"train", "evaluate"} else None


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
    import torch

    from cifar_core.batches import TrainingBatches
    from cifar_core.engine import TrainState, train_epoch
    from cifar_core.evaluation import log_probabilities
    from cifar_core.runtime import choose_runtime

    runtime = choose_runtime(config.device, config.precision, config.memory_format)

    def epoch_s() -> float:
        """Seconds of one short epoch."""
        started = time.perf_counter()
        for _ in train_epoch(short, state, batches):
            pass
        if runtime.device != "cpu":
            torch.cuda.synchronize()
        state.epoch += 1
        return time.perf_counter() - started

    # On a CPU the speed per image hardly depends on the batch; a large one would take minutes.
    batch_size = min(config.batch_size, 256) if runtime.device == "cpu" else config.batch_size
    num_images = batch_size * TIMED_STEPS
    changes = {"epochs": 4, "val_size": 0, "train_size": 0, "batch_size": batch_size}
    gentle = {"lr": 1e-4, "schedule": "constant", "weight_decay": 0.0}  # noise must not diverge
    short = config.model_copy(update={**changes, **gentle})
    batches = TrainingBatches(short, _made_up(num_images), runtime)
    state = TrainState(short, batches, runtime)
    epoch_s()  # to warm up
    train_s = min(epoch_s() for _ in range(2))
    images = batches.evaluated["test"][0]

    def evaluation_s() -> float:
        """Seconds of one pass over the made-up test images."""
        started = time.perf_counter()
        for _ in log_probabilities(state.judged, images, batches.mean, batches.std, runtime):
            pass
        return time.perf_counter() - started

    return Speed(num_images / train_s, len(images) / min(evaluation_s() for _ in range(2)))


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
