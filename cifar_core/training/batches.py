"""Training batches: each a function of (seed, epoch, step), drawn by kernels or albumentations."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from cifar_core.augment import kernels
from cifar_core.augment.pipeline import AugmentedImages
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset, split_indices
from cifar_core.data.dataset import mean_color
from cifar_core.errors import ConfigError
from cifar_core.system.runtime import Runtime, choose_runtime
from cifar_core.system.seeds import Purpose, derive_seed


class TrainingBatches:
    """The training images of a run, ready on its device, and how they become batches.

    An epoch leaves out the images that do not fill a last batch; which ones differs from epoch to
    epoch.

    Attributes:
        mean, std: (3,) float32 on the device, scale 0..1; they normalize training images.
        test_mean, test_std: The same for test images.
        evaluated: "val" (if anything is held out) and "test": uint8 images and labels.
    """

    def __init__(self, config: TrainConfig, data: Dataset, runtime: Runtime) -> None:
        self.config, self.data, self.runtime = config, data, runtime
        split = split_indices(len(data.train), config.val_size, config.train_size, config.seed)
        self.indices, val_indices = split
        self.batch_size = config.batch_size
        self.steps_per_epoch = len(self.indices) // config.batch_size
        if not self.steps_per_epoch:
            raise ConfigError(
                f"batch_size = {config.batch_size} is more than the {len(self.indices):,} "
                "training images. Choose a smaller one."
            )
        device = runtime.torch_device
        (self.mean, self.std), (self.test_mean, self.test_std) = (
            [torch.tensor(values, dtype=torch.float32, device=device) for values in mean_std]
            for mean_std in data.statistics(config.normalization)
        )
        self.color = torch.tensor(mean_color(data), dtype=torch.uint8, device=device)
        self.images = _tensor(data.train.images[self.indices]).to(device)
        self.labels = _tensor(data.train.labels[self.indices]).long().to(device)
        self.evaluated = {"test": (_tensor(data.test.images).to(device), _tensor(data.test.labels))}
        if len(val_indices):
            val = data.train.images[val_indices], data.train.labels[val_indices]
            self.evaluated = {
                "val": (_tensor(val[0]).to(device), _tensor(val[1])),
                **self.evaluated,
            }

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (B, 3, 32, 32) float32 images and (B,) or (B, K) targets on the device."""
        steps = range(first_step, self.steps_per_epoch)
        order = self._order(epoch)
        for step, pixels in zip(steps, self._pixels(epoch, order, steps), strict=True):
            images = kernels.normalize(pixels.to(self.images.device), self.mean, self.std)
            images = images.contiguous(memory_format=self.runtime.torch_memory_format)
            labels = self.labels.index_select(0, order[self._slice(step)])
            seed = derive_seed(self.config.seed, Purpose.MIX, epoch, step)
            mixing, num_classes = self.config.augment.mixing, len(self.data.classes)
            yield kernels.mix(images, labels, mixing, num_classes, seed)

    def pixels(self, epoch: int, step: int) -> Tensor:
        """(B, 32, 32, 3) uint8: one batch as the model saw it, before it was normalized."""
        return next(iter(self._pixels(epoch, self._order(epoch), range(step, step + 1))))

    def targets(self, epoch: int, step: int) -> Tensor:
        """(B,) int64 labels of the same batch, before MixUp or CutMix."""
        return self.labels.index_select(0, self._order(epoch)[self._slice(step)])

    def sample(self, num_images: int) -> Tensor:
        """(B, 3, 32, 32) float32: the first training images, normalized, not augmented."""
        return kernels.normalize(self.images[:num_images], self.mean, self.std)

    def _order(self, epoch: int) -> Tensor:
        seed = derive_seed(self.config.seed, Purpose.SHUFFLE, epoch)
        generator = torch.Generator().manual_seed(seed)
        return torch.randperm(len(self.indices), generator=generator).to(self.images.device)

    def _slice(self, step: int) -> slice:
        return slice(step * self.batch_size, (step + 1) * self.batch_size)

    def _pixels(self, epoch: int, order: Tensor, steps: range) -> Iterator[Tensor]:
        spec = self.config.augment
        if not spec.batched:
            yield from self._loaded_pixels(epoch, order, steps)
            return
        for step in steps:
            seed = derive_seed(self.config.seed, Purpose.AUGMENT, epoch, step)
            draws = kernels.draw(spec, self.batch_size, seed)
            # index_select copies image by image; an index in brackets takes 25 times as long.
            images = self.images.index_select(0, order[self._slice(step)])
            yield kernels.apply(images, draws, self.color)

    def _loaded_pixels(self, epoch: int, order: Tensor, steps: range) -> Iterator[Tensor]:
        """Through albumentations in DataLoader workers, which die with the epoch."""
        config = self.config
        images = AugmentedImages(
            self.data.train.images, config.augment, mean_color(self.data), config.seed
        )
        chosen = self.indices[order.cpu().numpy()]
        keys = [[(epoch, int(index)) for index in chosen[self._slice(step)]] for step in steps]
        yield from DataLoader(
            images,  # pyright: ignore[reportArgumentType] # a map by its __getitem__, keys instead of numbers
            batch_sampler=keys,
            num_workers=config.num_workers,
            collate_fn=_stack,
            generator=torch.Generator(),  # else it draws from the global one
            pin_memory=self.images.is_cuda,
        )


def redraw(
    config: TrainConfig, data: Dataset, epoch: int, step: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(B, 32, 32, 3) pixels and (B,) labels of a batch, drawn again as a run has seen it.

    Raises:
        ConfigError: if the run has no such batch.
    """
    batches = TrainingBatches(config, data, choose_runtime("cpu", "fp32", "contiguous"))
    if not (0 <= epoch < config.epochs and 0 <= step < batches.steps_per_epoch):
        raise ConfigError(
            f"There is no batch {step} in epoch {epoch}: this run has {config.epochs} epochs of "
            f"{batches.steps_per_epoch} batches, counted from 0."
        )
    return batches.pixels(epoch, step).numpy(), batches.targets(epoch, step).numpy()


def _tensor(array: NDArray[np.uint8]) -> Tensor:
    """A copy in memory; a memory-mapped array is read-only, which torch warns of."""
    return torch.from_numpy(np.array(array))


def _stack(images: list[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(images))
