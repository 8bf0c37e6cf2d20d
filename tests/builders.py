"""Small trainings for tests: their config, state, batches and model, and what is kept of them."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from cifar_core.checkpoints.manifest import Manifest
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.data import CLASSES, Dataset
from cifar_core.lr_finder.range_test import Ending, LRPoint, range_test
from cifar_core.models import create_model
from cifar_core.records.records import EpochRecord, Record
from cifar_core.system.runtime import choose_runtime
from cifar_core.system.seeds import Purpose, derive_seed
from cifar_core.training import engine
from cifar_core.training.batches import TrainingBatches
from cifar_core.training.engine import train
from cifar_core.training.optim import update_ema
from cifar_core.training.state import TrainState
from cifar_core.validation import validated
from tests.made_up_data import made_up

FIGURES = EpochRecord(1, 3, 1.0, 0.4, 1.1, 0.5, 1.2, 0.45, 0.1)
DATA: Any = SimpleNamespace(
    title="Made up",
    fingerprint="made up",
    classes=CLASSES,
    statistics=lambda _: ((np.full(3, 0.5), np.full(3, 0.25)), (np.full(3, 0.4), np.full(3, 0.2))),
)
SAVED: Any = ("convnet", DATA, FIGURES)  # what a checkpoint is saved with


def manifest_of(**changes: Any) -> Manifest:
    """A manifest that no file belongs to."""
    values: dict[str, Any] = {
        "role": "best",
        "epoch": 1,
        "step": 3,
        "model": "convnet",
        "data": "Made up",
        "fingerprint": "f",
        "classes": tuple(CLASSES),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.25, 0.25, 0.25),
        "sha256": {"weights.safetensors": "w"},
    }
    return Manifest(**{**values, **changes})


def single_thread() -> Iterator[None]:
    """For a fixture: batches this small only suffer from threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1, "blas"):
        yield
    torch.set_num_threads(threads)


def record_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a fixture: training yields a record of every step."""
    monkeypatch.setattr(engine, "RECORD_EVERY_S", 0.0)


# Trainings


def config_of(**changes: Any) -> TrainConfig:
    """Three epochs of three steps of 16 of the tiny data's 50 training images, on the CPU."""
    values: dict[str, Any] = {
        "model": "convnet",
        "epochs": 3,
        "batch_size": 16,
        "val_size": 14,
        "device": "cpu",
        "precision": "fp32",
        "num_workers": 0,
    }
    return make_config({**values, **changes})


def set_up(config: TrainConfig, data: Dataset) -> tuple[TrainState, TrainingBatches]:
    """What a training starts from."""
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    return TrainState(config, batches, runtime), batches


def trained(config: TrainConfig, data: Dataset) -> tuple[TrainState, list[Record]]:
    """A whole training: its last state and all its records."""
    state, batches = set_up(config, data)
    return state, list(train(config, data, state, batches))


def epochs_of(records: list[Record]) -> list[EpochRecord]:
    """The records of whole epochs."""
    return [record for record in records if isinstance(record, EpochRecord)]


def textbook_model(config: TrainConfig, batches: TrainingBatches) -> nn.Module:
    """The model a training begins with, made as in a tutorial: seeds torch's global generator."""
    torch.manual_seed(derive_seed(config.seed, Purpose.INIT))
    model = create_model(config.model, 10)
    if config.model == "speednet":
        model.init_from_data(batches.sample(2000))  # pyright: ignore[reportCallIssue] # of this model
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = config.bn_momentum
    return model.to(memory_format=batches.runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload


def textbook_loss(config: TrainConfig, logits: Tensor, targets: Tensor) -> Tensor:
    """The loss as in a tutorial; a focal one is that of hard targets, from each cross-entropy."""
    if config.loss == "cross_entropy":
        return nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)(logits, targets)
    losses = F.cross_entropy(logits, targets, reduction="none")
    return ((1 - torch.exp(-losses)) ** config.focal_gamma * losses).mean()


# LR tests


def find_of(**changes: Any) -> LRTestConfig:
    """Ten steps up to a learning rate of 1."""
    return validated(LRTestConfig, {"num_steps": 10, "end_lr": 1, **changes})


def searched(
    config: TrainConfig, find: LRTestConfig, data: Dataset
) -> tuple[Ending, list[LRPoint]]:
    """A whole LR test: how it ended and all its points."""
    points: list[LRPoint] = []
    return range_test(config, find, data, points.append, lambda: False), points


# Checkpoints


def state_at(step: int = 3, **changes: Any) -> TrainState:
    """A state at some step, all its numbers unlike those of a fresh one."""
    state, _ = set_up(config_of(**changes), made_up(64, 30))
    generator = torch.Generator().manual_seed(step)
    for parameter in state.model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    state.optimizer.step()
    if state.ema_model is not None:
        update_ema(state.ema_model, state.model, 0.5)
    state.step, state.epoch = step, step // 3
    return state


def contents_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# Models and images for maps


def smooth_noise(count: int, seed: int = 0) -> Tensor:
    """(N, 3, 32, 32) float32, smooth as photos are, plus a little noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 8, 8, generator=generator)
    fine = torch.randn(count, 3, 32, 32, generator=generator)
    return F.interpolate(coarse, size=32, mode="bilinear") + 0.3 * fine


def trained_model(name: str) -> nn.Module:
    """The model after three steps, so that no weight or statistic is the initial one."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model(name).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
        for step in range(3):
            loss = F.cross_entropy(model(smooth_noise(16, seed=step)), torch.arange(16) % 10)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


class OneConvolution(nn.Module):
    """A convolution and a batch norm, whose output may be changed in place twice."""

    def __init__(self, in_place: bool):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=in_place)
        self.fc = nn.Linear(8, 10)
        self.in_place = in_place

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        out = self.bn(x)
        if self.in_place:
            out += x
        else:
            out = out + x
        return self.fc(self.relu(out).square().mean(dim=(2, 3)))


def quick_model() -> nn.Module:
    """A model that is computed in no time, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return OneConvolution(in_place=False).eval()
