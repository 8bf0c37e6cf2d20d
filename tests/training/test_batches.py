"""Training batches: a function of (seed, epoch, step), whoever computes them."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cifar_core.augment import AugmentSpec, Operation, kernels
from cifar_core.augment.pipeline import AugmentedImages
from cifar_core.config.train import make_config
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import histogram_of, mean_color, mean_std
from cifar_core.errors import ConfigError
from cifar_core.system.runtime import choose_runtime
from cifar_core.training.batches import TrainingBatches
from tests.made_up_data import made_up

# Through albumentations: the first by its crop's probability in a Sequential, which nests seeds.
LOADED = AugmentSpec(
    operations=(
        Operation(name="PadCrop", p=0.9),
        Operation(name="HorizontalFlip"),
        Operation(name="Affine", p=1),
        Operation(name="ColorJitter", p=1),
    )
)
MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="CutMix", p=0.5)))
SPECS: dict[str, Any] = {"batched": "cutout", "mixed": MIXED, "loaded": LOADED}


def batches_of(data: Dataset, **changes: Any) -> TrainingBatches:
    values: dict[str, Any] = {"batch_size": 8, "val_size": 10, "num_workers": 0, "device": "cpu"}
    return TrainingBatches(make_config({**values, **changes}), data, choose_runtime("cpu", "fp32"))


def epoch_of(batches: TrainingBatches, epoch: int = 0, first_step: int = 0) -> list[Tensor]:
    """Images and targets of an epoch, in turn."""
    return [part for batch in batches.epoch(epoch, first_step) for part in batch]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(
        a.shape == b.shape and bool((a == b).all()) for a, b in zip(first, second, strict=True)
    )


def copies(num_images: int) -> Dataset:
    """A data set of one training image, many times."""
    data = made_up(num_images, 10)
    images = np.repeat(data.train.images[:1], num_images, axis=0)
    labels = data.train.labels
    return replace(data, train=Split(images, labels, histogram_of(images), "copies"))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_an_epoch_is_a_function_of_seed_and_epoch(tiny: Dataset, spec: Any) -> None:
    first = epoch_of(batches_of(tiny, augment=spec), epoch=3)
    assert len(first) == 2 * (54 // 8)
    assert same(first, epoch_of(batches_of(tiny, augment=spec), epoch=3))
    assert not same(first, epoch_of(batches_of(tiny, augment=spec), epoch=4))
    assert not same(first, epoch_of(batches_of(tiny, augment=spec, seed=1), epoch=3))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_an_epoch_can_begin_in_its_middle(tiny: Dataset, spec: Any) -> None:
    batches = batches_of(tiny, augment=spec)
    whole = epoch_of(batches, epoch=1)
    for first_step in range(7):
        assert same(whole[2 * first_step :], epoch_of(batches, 1, first_step))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_batch_can_be_seen_again_as_it_was_before_it_was_normalized(
    tiny: Dataset, spec: Any
) -> None:
    batches = batches_of(tiny, augment=spec)
    generator = batches.epoch(2)
    for step in range(batches.steps_per_epoch):
        images, targets = next(generator)
        pixels = batches.pixels(2, step)
        assert pixels.shape == (8, 32, 32, 3)
        assert pixels.dtype == torch.uint8
        if targets.ndim == 1:
            expected = kernels.normalize(pixels, batches.mean, batches.std)
            assert (images == expected).all()


def test_steps_differ() -> None:
    """Of the same images, so that only the augmentation can make the difference."""
    for spec in SPECS.values():
        batches = batches_of(copies(64), augment=spec, val_size=0)
        assert (batches.pixels(0, 0) != batches.pixels(0, 1)).any()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_albumentations_gives_the_same_for_any_number_of_workers(
    tiny: Dataset, num_workers: int
) -> None:
    alone = batches_of(tiny, augment=LOADED)
    helped = batches_of(tiny, augment=LOADED, num_workers=num_workers)
    for epoch in (0, 1):
        assert same(epoch_of(alone, epoch), epoch_of(helped, epoch))
    assert same(epoch_of(alone, 1, 4), epoch_of(helped, 1, 4))
    assert not same(epoch_of(helped, 0), epoch_of(helped, 1))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_copies_of_one_image_become_different_images(num_workers: int) -> None:
    """albumentations 2.0.8 left to itself gives two workers the same 32 images, each epoch."""
    batches = batches_of(copies(64), augment=LOADED, val_size=0, num_workers=num_workers)
    found = set()
    for epoch in (0, 1):
        for step in range(8):
            found |= {image.tobytes() for image in batches.pixels(epoch, step).numpy()}
    assert len(found) >= 126


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_global_generators_are_left_alone(tiny: Dataset, spec: Any, num_workers: int) -> None:
    torch.manual_seed(1)
    before_torch = torch.random.get_rng_state()
    before_numpy = np.random.get_state(legacy=False)
    epoch_of(batches_of(tiny, augment=spec, num_workers=num_workers))
    after = np.random.get_state(legacy=False)
    assert (torch.random.get_rng_state() == before_torch).all()
    assert str(after) == str(before_numpy)


def test_every_image_comes_at_most_once_per_epoch_with_its_label(tiny: Dataset) -> None:
    batches = batches_of(tiny, augment="none", batch_size=10)
    known = {image.tobytes(): int(label) for image, label in zip(*training(batches), strict=True)}
    assert len(known) == 54
    left_out = set()
    for epoch in range(6):
        seen = []
        for step, (_, labels) in enumerate(batches.epoch(epoch)):
            pixels = [image.tobytes() for image in batches.pixels(epoch, step).numpy()]
            assert [known[image] for image in pixels] == labels.tolist()
            seen += pixels
        assert len(seen) == len(set(seen)) == 50
        left_out.add(frozenset(known.keys() - set(seen)))
    assert len(left_out) == 6, "other images are left out in other epochs"


def training(batches: TrainingBatches) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels that are trained on."""
    train = batches.data.train
    return train.images[batches.indices], train.labels[batches.indices]


def test_mixing_draws_from_a_stream_of_its_own(tiny: Dataset) -> None:
    """The pixels under a MixUp are those of the run without it."""
    plain = AugmentSpec(operations=(Operation(name="PadCrop"),))
    first, second = batches_of(tiny, augment=plain), batches_of(tiny, augment=MIXED)
    assert (first.pixels(1, 2) == second.pixels(1, 2)).all()


def test_held_out_images_are_never_trained_on_and_are_all_evaluated(tiny: Dataset) -> None:
    batches = batches_of(tiny, augment="none")
    held_out = {image.tobytes() for image in batches.evaluated["val"][0].numpy()}
    trained = {image.tobytes() for image in training(batches)[0]}
    assert len(held_out) == 10
    assert len(trained) == 54
    assert not held_out & trained
    assert list(batches.evaluated) == ["val", "test"]
    assert (batches.evaluated["test"][0].numpy() == tiny.test.images).all()
    assert (batches.evaluated["test"][1].numpy() == tiny.test.labels).all()


def test_held_out_images_stay_when_train_size_changes(tiny: Dataset) -> None:
    first, second = batches_of(tiny), batches_of(tiny, train_size=20)
    assert (first.evaluated["val"][0] == second.evaluated["val"][0]).all()
    assert len(second.indices) == 20
    assert set(second.indices) <= set(first.indices)


def test_without_held_out_images_only_test_is_evaluated(tiny: Dataset) -> None:
    assert list(batches_of(tiny, val_size=0).evaluated) == ["test"]


@pytest.mark.parametrize("normalization", ["train", "separate", "all"])
def test_images_are_normalized_as_the_setting_says(tiny: Dataset, normalization: str) -> None:
    batches = batches_of(tiny, normalization=normalization)
    test, both = tiny.test.histogram, tiny.train.histogram + tiny.test.histogram
    of_test = mean_std({"separate": test, "all": both}.get(normalization, tiny.train.histogram))
    of_train = mean_std(both) if normalization == "all" else (tiny.mean, tiny.std)
    for got, wanted in ((batches.mean, of_train[0]), (batches.std, of_train[1])):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    for got, wanted in ((batches.test_mean, of_test[0]), (batches.test_std, of_test[1])):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_normalization_is_that_of_all_training_pixels(tiny: Dataset) -> None:
    batches = batches_of(tiny, train_size=20)
    np.testing.assert_allclose(batches.mean, tiny.mean, rtol=1e-6)
    np.testing.assert_allclose(batches.std, tiny.std, rtol=1e-6)
    sample = batches.sample(5)
    pixels = torch.from_numpy(training(batches)[0][:5])
    assert (sample == kernels.normalize(pixels, batches.mean, batches.std)).all()
    assert mean_color(tiny) == tuple(round(255 * value) for value in tiny.mean)


@pytest.mark.parametrize(("changes", "left"), [({}, 54), ({"train_size": 20}, 20)])
def test_a_batch_larger_than_the_data_is_refused(
    tiny: Dataset, changes: dict[str, int], left: int
) -> None:
    assert batches_of(tiny, batch_size=left, **changes).steps_per_epoch == 1
    with pytest.raises(
        ConfigError, match=f"batch_size = {left + 1} is more than the {left} training images"
    ):
        batches_of(tiny, batch_size=left + 1, **changes)


def test_what_loader_workers_hold_can_be_pickled(tiny: Dataset) -> None:
    """Python 3.14 no longer forks workers on Linux; macOS and Windows never did."""
    images = AugmentedImages(tiny.train.images, LOADED, mean_color(tiny), seed=2)
    again = pickle.loads(pickle.dumps(images))
    assert (again[(1, 5)] == images[(1, 5)]).all()
