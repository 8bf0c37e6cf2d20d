"""How fast a config trains and evaluates: a few measured steps on made-up images."""

import copy
import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cifar_core.config.train import TrainConfig
from cifar_core.data import CLASSES, Dataset, Split
from cifar_core.data.dataset import histogram_of
from cifar_core.forecast.forecast import IMAGE_BYTES, Throughput
from cifar_core.system.memory import peak_memory, resident_memory
from cifar_core.system.utilization import OtherPrograms, gpu_load

if TYPE_CHECKING:
    from torch import Tensor

    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

    Batch = tuple[Tensor, Tensor]

PASS_S, ENOUGH_S = 0.3, 1.0  # of one pass; of all that measure the same
FEWEST, MOST = 2, 32  # steps of a pass, however long or short they are
EVALUATED = 1000


def measure(config: TrainConfig) -> Throughput:
    """Trains a few steps and evaluates a few images; takes seconds.

    Raises:
        CifarCoreError: if the config cannot run here.
    """
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    gpu, programs = gpu_load(runtime.device), OtherPrograms()
    short = _short(config, runtime.device)
    num_images = short.batch_size * (_fetched_early(short) + _most_steps(short) + 1)
    batches = TrainingBatches(short, _made_up(num_images), runtime)
    state = TrainState(short, batches, runtime)
    before = resident_memory()
    batch, start_s = _first_batch(batches)
    warm_up_s = _warm_up_s(state, batches, batch)
    steps = _shortest(
        lambda: _step_s(state, batches, _in_full_flow(batches)),
        lambda: _step_s(state, batches, itertools.repeat(batch)),
        lambda: _batch_s(batches),
    )
    train, device, loader = (short.batch_size / seconds for seconds in steps)
    trained = peak_memory(runtime.device)
    (evaluation_s,) = _shortest(lambda: _evaluation_s(state, batches))
    if runtime.device == "cpu":  # what a batch takes grows with it
        trained = before + int((trained - before) * config.batch_size / short.batch_size)
    image_bytes = IMAGE_BYTES * (2 if runtime.device == "cpu" else 1)
    peak = max(trained, peak_memory(runtime.device)) - image_bytes * (num_images + EVALUATED)
    speed = Throughput(train, EVALUATED / evaluation_s, device, peak, loader, start_s, image_bytes)
    speed = replace(speed, others=max(programs.share(), gpu.busy if gpu else 0.0))
    if not short.compile:
        return speed
    return replace(speed, compile_s=warm_up_s, eager=_eager(state, batches))


def _warm_up_s(state: "TrainState", batches: "TrainingBatches", batch: "Batch") -> float:
    """Seconds of the first steps, which compile the model if that is asked for."""
    started = time.perf_counter()
    _step_s(state, batches, itertools.repeat(batch))
    return time.perf_counter() - started


def _eager(state: "TrainState", batches: "TrainingBatches") -> float:
    """Images per second of the whole path without the compiled model."""
    state.forward = state.model
    _warm_up_s(state, batches, next(batches.epoch(0)))
    (seconds,) = _shortest(lambda: _step_s(state, batches, _in_full_flow(batches)))
    return batches.batch_size / seconds


def _short(config: TrainConfig, device: str) -> TrainConfig:
    """The config for a few steps on noise, which must not let it diverge.

    On a CPU the speed per image hardly depends on the batch; a large one would take minutes.
    """
    batch_size = min(config.batch_size, 256) if device == "cpu" else config.batch_size
    changes = {"epochs": 8, "val_size": 0, "train_size": 0, "batch_size": batch_size}
    gentle = {"lr": 1e-4, "schedule": "constant", "weight_decay": 0.0, "weights": ""}
    return config.model_copy(update={**changes, **gentle})


def _most_steps(config: TrainConfig) -> int:
    return min(max(8192 // config.batch_size, FEWEST), MOST)


def _fetched_early(config: TrainConfig) -> int:
    """How many batches the loader's workers, two each, fetch at once when an epoch begins."""
    workers = 0 if config.augment.batched else config.num_workers
    return min(2 * workers, 50_000 // config.batch_size)


def _first_batch(batches: "TrainingBatches") -> "tuple[Batch, float]":
    next(batches.epoch(0))  # imports what it needs
    started = time.perf_counter()
    return next(batches.epoch(0)), time.perf_counter() - started


def _in_full_flow(batches: "TrainingBatches") -> "Iterator[Batch]":
    """An epoch's batches but for those fetched early, which would make the loader seem quicker."""
    return itertools.islice(batches.epoch(0), _fetched_early(batches.config), None)


class _Paced:
    """Hands batches on for a while; `seconds` is then the time from one to the next.

    It waits for a GPU at the beginning and at the end alone, so that the steps overlap as ever.
    """

    def __init__(self, batches: "TrainingBatches", source: "Iterator[Batch]"):
        self.source, self.seconds = source, math.nan
        self.most, self.device = _most_steps(batches.config), batches.runtime.device

    def __iter__(self) -> "Iterator[Batch]":
        started = until = 0.0
        for number, batch in enumerate(self.source):
            if number == 0:
                started = _now(self.device)
                until = started + PASS_S
            elif number == self.most or (number >= FEWEST and time.perf_counter() > until):
                self.seconds = (_now(self.device) - started) / number
                return
            yield batch


def _step_s(state: "TrainState", batches: "TrainingBatches", source: "Iterator[Batch]") -> float:
    """Seconds of a training step, its batch included."""
    from cifar_core.training.engine import train_epoch

    paced, shown = _Paced(batches, source), copy.copy(batches)
    shown.epoch = lambda epoch, first_step=0: iter(paced)
    deque(train_epoch(batches.config, state, shown), maxlen=0)
    state.step = 0  # so that it may begin the epoch again
    return paced.seconds


def _batch_s(batches: "TrainingBatches") -> float:
    """Seconds of a batch without a step."""
    paced = _Paced(batches, _in_full_flow(batches))
    deque(paced, maxlen=0)
    return paced.seconds


def _evaluation_s(state: "TrainState", batches: "TrainingBatches") -> float:
    from cifar_core.training.inference import log_probabilities

    images, runtime = batches.evaluated["test"][0], batches.runtime
    started = _now(runtime.device)
    deque(log_probabilities(state.eval_model, images, batches.mean, batches.std, runtime), maxlen=0)
    return _now(runtime.device) - started


def _now(device: str) -> float:
    """Seconds, when the device has done all that it was asked for."""
    import torch

    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _shortest(*measurements: Callable[[], float]) -> tuple[float, ...]:
    """The shortest of several times of each, as other programs only ever lengthen one.

    They take turns, so that what goes on beside them meets all.
    """
    until = time.perf_counter() + ENOUGH_S * len(measurements)
    rounds = [[measure_once() for measure_once in measurements]]
    while time.perf_counter() < until:
        rounds.append([measure_once() for measure_once in measurements])
    return tuple(map(min, zip(*rounds, strict=True)))


def _made_up(num_images: int) -> Dataset:
    import numpy as np

    def split(size: int) -> Split:
        generator = np.random.default_rng(size)
        images = generator.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8)
        labels = np.arange(size, dtype=np.uint8) % 10
        return Split(images, labels, histogram_of(images), "made up")

    return Dataset("Made up", CLASSES, split(num_images), split(EVALUATED), "made up")
