"""MixUp and CutMix draw for a batch what says nothing about the draws of its images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cifar_core.augment import AugmentSpec, Operation, kernels
from cifar_core.config.train import make_config
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import histogram_of
from cifar_core.system.runtime import choose_runtime
from cifar_core.training.batches import TrainingBatches
from tests.augment.recorded import FIRED, Columns, worst
from tests.made_up_data import made_up

# Two of the pixel kernels before the two mixers, of which at most one fires.
SPEC = AugmentSpec(
    operations=(
        Operation(name="PadCrop"),
        Operation(name="HorizontalFlip"),
        Operation(name="MixUp", p=0.4),
        Operation(name="CutMix", p=0.4),
    )
)
OF_MIXING = ("MixUp", "CutMix")
STEPS_PER_EPOCH = 250


def with_one_bright_pixel() -> Dataset:
    """500 copies of an image whose bright pixel shows where a crop and a flip have put it."""
    data = made_up(2 * STEPS_PER_EPOCH, 10)
    images = np.zeros((2 * STEPS_PER_EPOCH, 32, 32, 3), dtype=np.uint8)
    images[:, 16, 6] = 255
    labels = (np.arange(len(images)) % 2).astype(np.uint8)
    return replace(data, train=Split(images, labels, histogram_of(images), "bright"))


def batches_of_two() -> TrainingBatches:
    config = make_config({"augment": SPEC, "batch_size": 2, "val_size": 0, "num_workers": 0})
    return TrainingBatches(config, with_one_bright_pixel(), choose_runtime("cpu", "fp32"))


def drawn(batches: TrainingBatches, epoch: int, step: int, targets: torch.Tensor) -> list[float]:
    """Of one batch: flip, row and column of its first image; which mixer fired; the first's share.

    The share is NaN where both images have one label, which hides it.
    """
    row, column, _ = (int(n) for n in batches.pixels(epoch, step)[0].nonzero()[0])
    flipped = column >= 16
    labels = batches.targets(epoch, step)
    mixed, apart = targets.ndim == 2, bool(labels[0] != labels[1])
    share = float(targets[0, labels[0]]) if mixed and apart else np.nan
    return [flipped, row, 31 - column if flipped else column, mixed, share]


@pytest.mark.parametrize("mixer", OF_MIXING)
def test_mixing_says_nothing_about_the_images(mixer: str) -> None:
    only = tuple(op for op in SPEC.operations if op.name not in {*OF_MIXING} - {mixer})
    batches = batches_of_two()
    batches.config = batches.config.model_copy(update={"augment": AugmentSpec(operations=only)})
    rows = [
        drawn(batches, epoch, step, targets)
        for epoch in range(3)
        for step, (_, targets) in enumerate(batches.epoch(epoch))
    ]
    owners = ["HorizontalFlip", "PadCrop", "PadCrop", mixer, mixer]
    table = Columns(owners, [FIRED, "row", "column", FIRED, "share"], np.array(rows, np.float64))
    assert abs(np.mean(table.values[:, 3]) - 0.4) < 5 * (0.24 / len(rows)) ** 0.5
    assert worst(table) < 5
    before = Columns(owners, table.keys, np.roll(table.values, 1, axis=0))
    assert worst(table, before) < 5  # nor about the batch before
    assert worst(table, table) > 10  # a stream in common would be noticed


def test_at_most_one_mixer_fires_and_each_as_often_as_its_p() -> None:
    fired = {"MixUp": 0, "CutMix": 0}
    images = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    num = 1000
    for seed in range(num):
        mixed, targets = kernels.mix(images, torch.tensor([0, 1]), SPEC.mixing, 2, seed)
        if targets.ndim == 2:
            cut = bool(((mixed == 0) | (mixed == 1)).all())
            fired["CutMix" if cut else "MixUp"] += 1
    for name, count in fired.items():
        assert abs(count / num - 0.4) < 5 * (0.24 / num) ** 0.5, name
