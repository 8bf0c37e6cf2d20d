"""`Dataset` and `Split`: uint8 images, labels, and their statistics."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError

# Order of the labels in the official archive (Krizhevsky 2009, batches.meta).
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


MeanStd = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Split:
    """The training or the test images of a data set.

    Attributes:
        images: (N, 32, 32, 3) uint8, memory-mapped, sorted by each image's digest.
        labels: (N,) uint8.
        histogram: (3, 256) int64, counts of each value per channel.
        fingerprint: SHA-256 over the sorted digests; independent of order and file format.
        masks: (N, 32, 32) bool, pixels of the object; None if unknown.
        names: (N,) file names of the images; None if they were not read from single files.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    histogram: NDArray[np.int64]
    fingerprint: str
    masks: NDArray[np.bool_] | None = None
    names: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(K,) number of images per class."""
        return np.bincount(self.labels, minlength=10)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their class names and their origin.

    Attributes:
        name: "CIFAR-10" or "Shapes-10".
        origin: Where it was read from, as text for display.
        modified: Whether it is incomplete or modified; part of every title.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    origin: str
    modified: bool = False

    @property
    def title(self) -> str:
        """The name, marked if this is a modified copy."""
        if not self.modified:
            return self.name
        return f"{self.name} (modified copy: {len(self.train):,} + {len(self.test):,} images)"

    @property
    def fingerprint(self) -> str:
        """Fingerprint of both splits; a run records it and refuses to resume with other data."""
        return f"{self.train.fingerprint[:16]}{self.test.fingerprint[:16]}"

    def statistics(self, normalization: str = "train") -> tuple[MeanStd, MeanStd]:
        """(3,) mean and std with which training images, and with which test images, are normalized.

        Args:
            normalization: "train" takes the training pixels for both, "all" the pixels of both for
                both, "separate" those of each for itself.
        """
        chosen = {"train": ("train", "train"), "separate": ("train", "test"), "all": ("all", "all")}
        of_train, of_test = chosen[normalization]
        return self.split_statistics[of_train], self.split_statistics[of_test]

    @cached_property
    def split_statistics(self) -> dict[str, MeanStd]:
        """(3,) mean and std of the training images, of the test images and of all, scale 0..1."""
        train, test = self.train.histogram, self.test.histogram
        histograms = {"train": train, "test": test, "all": train + test}
        return {name: mean_std(histogram) for name, histogram in histograms.items()}

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(3,) float64 mean of the training pixels on the scale 0..1."""
        return self.split_statistics["train"][0]

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """(3,) float64 standard deviation of the training pixels on the scale 0..1."""
        return self.split_statistics["train"][1]


def mean_std(histogram: NDArray[np.int64]) -> MeanStd:
    """Exact mean and (population) standard deviation per channel from a (3, 256) histogram."""
    values = np.arange(256) / 255
    total = histogram.sum(axis=1)
    mean = histogram @ values / total
    variance = (histogram * (values - mean[:, None]) ** 2).sum(axis=1) / total
    return mean, np.sqrt(variance)


def histogram_of(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(3, 256) counts of each value per channel of (N, H, W, 3) uint8 images."""
    return np.stack([np.bincount(images[..., c].ravel(), minlength=256) for c in range(3)])


def class_means(split: Split, num_classes: int = 10) -> NDArray[np.uint8]:
    """(K, 32, 32, 3) mean image of each class; black for a class without images."""
    means = np.zeros((num_classes, *split.images.shape[1:]), np.uint8)
    for label in range(num_classes):
        rows = np.flatnonzero(split.labels == label)
        if len(rows):
            total = np.zeros(split.images.shape[1:], np.int64)
            for part in np.array_split(rows, -(-len(rows) // 1000)):
                total += split.images[part].sum(axis=0, dtype=np.int64)
            means[label] = np.rint(total / len(rows))
    return means


def split_indices(
    num_images: int, val_size: int, train_size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the training and of the validation images, each sorted.

    Both come from one permutation by `seed`, validation first, so that the validation images
    stay the same when `train_size` changes.

    Raises:
        ConfigError: if there are not enough images.
    """
    left = num_images - val_size
    if left < 1:
        raise ConfigError(
            f"val_size = {val_size:,} leaves nothing to train on: there are {num_images:,} "
            f"training images. Give at most {num_images - 1:,}."
        )
    if train_size > left:
        raise ConfigError(
            f"train_size = {train_size:,} is more than the {left:,} images left after holding out "
            f"{val_size:,} for validation. Give at most {left:,}, or 0 for all."
        )
    order = np.random.default_rng(seed).permutation(num_images)
    end = val_size + (train_size or left)
    return np.sort(order[val_size:end]), np.sort(order[:val_size])


def mean_color(data: Dataset) -> tuple[int, int, int]:
    """The mean training pixel, 0..255; fill color of a cutout."""
    red, green, blue = (round(255 * float(value)) for value in data.mean)
    return red, green, blue
