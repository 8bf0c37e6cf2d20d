"""Statistics of the pixels, mean images, and how training and validation images are drawn."""

import numpy as np
import pytest

from cifar_core.data import Dataset, split_indices
from cifar_core.data.dataset import class_means, histogram_of, mean_std
from cifar_core.errors import ConfigError


def test_mean_and_deviation_are_those_of_numpy(tiny: Dataset) -> None:
    pixels = tiny.train.images.reshape(-1, 3) / 255
    np.testing.assert_allclose(tiny.mean, pixels.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(tiny.std, pixels.std(axis=0), rtol=0, atol=1e-12)


def test_statistics_to_normalize_with_are_those_of_numpy(tiny: Dataset) -> None:
    train, test = tiny.train.images, tiny.test.images
    both = np.concatenate([train, test])
    expected = {"train": (train, train), "separate": (train, test), "all": (both, both)}
    for normalization, images in expected.items():
        for (mean, std), of in zip(tiny.statistics(normalization), images, strict=True):
            pixels = of.reshape(-1, 3) / 255
            np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=0, atol=1e-12)
            np.testing.assert_allclose(std, pixels.std(axis=0), rtol=0, atol=1e-12)
    assert (tiny.statistics()[1][0] == tiny.mean).all(), "by default those of the training pixels"


def test_mean_and_deviation_of_known_values() -> None:
    images = np.zeros((1, 1, 2, 3), np.uint8)
    images[0, 0, 1] = 255, 51, 0
    mean, std = mean_std(histogram_of(images))
    np.testing.assert_allclose(mean, [0.5, 0.1, 0])
    np.testing.assert_allclose(std, [0.5, 0.1, 0])


@pytest.mark.parametrize(("val_size", "train_size"), [(0, 0), (10, 0), (10, 30), (99, 1), (0, 1)])
def test_split_indices_are_sorted_disjoint_and_as_many_as_asked_for(
    val_size: int, train_size: int
) -> None:
    train, val = split_indices(100, val_size, train_size, seed=3)
    assert len(val) == val_size
    assert len(train) == (train_size or 100 - val_size)
    assert len({*train, *val}) == len(train) + len(val)
    for indices in (train, val):
        assert indices.tolist() == sorted(indices)
        assert all(0 <= i < 100 for i in indices)


def test_split_indices_depend_on_the_seed_and_validation_on_nothing_else() -> None:
    train, val = split_indices(1000, 100, 0, seed=3)
    few, same_val = split_indices(1000, 100, 50, seed=3)
    assert (val == same_val).all()
    assert set(few) < set(train)
    assert (split_indices(1000, 100, 0, seed=3)[0] == train).all()
    assert (split_indices(1000, 100, 0, seed=4)[1] != val).any()


@pytest.mark.parametrize(
    ("val_size", "train_size", "told"),
    [
        (100, 0, ("val_size = 100", "at most 99")),
        (5000, 0, ("val_size = 5,000", "at most 99")),
        (10, 91, ("train_size = 91", "at most 90")),
    ],
)
def test_splits_that_leave_nothing_are_refused_with_what_is_possible(
    val_size: int, train_size: int, told: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        split_indices(100, val_size, train_size, seed=0)
    assert all(text in str(caught.value) for text in told)


def test_the_mean_image_of_a_class_is_the_mean_of_its_images(tiny: Dataset) -> None:
    means = class_means(tiny.train)
    for label in range(10):
        images = tiny.train.images[tiny.train.labels == label]
        expected = np.rint(images.mean(axis=0)) if len(images) else 0
        assert np.abs(means[label] - expected).max() == 0
