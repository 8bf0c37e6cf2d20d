"""Kernels: pixel by pixel what albumentations does with the same draws, and fair draws."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cifar_core.augment import AugmentSpec, Operation, kernels
from tests.made_up_data import made_up_split

MEAN = (125, 123, 114)
MEAN_TENSOR = torch.tensor(MEAN, dtype=torch.uint8)


def op(name: str, p: float = 1, **params: Any) -> Operation:
    return Operation(name=name, p=p, params=params)


def drawn(num_images: int, *operations: Operation, seed: int = 0) -> list[kernels.Draw]:
    return kernels.draw(AugmentSpec(operations=operations), num_images, seed)


def images_of(num_images: int) -> Tensor:
    return torch.from_numpy(made_up_split(num_images, 7).images)


def by_albumentations(images: Tensor, draws: list[kernels.Draw]) -> NDArray[np.uint8]:
    """The same draws, as deterministic albumentations calls on one image after the other."""
    import albumentations as A
    import cv2

    results = []
    for i, image in enumerate(images.numpy()):
        result = image
        for d in draws:
            if not d.applied[i]:
                continue
            x, y, params = int(d.x[i]), int(d.y[i]), d.operation.params
            if d.operation.name == "HorizontalFlip":
                steps: list[Any] = [A.HorizontalFlip(p=1)]
            elif d.operation.name == "PadCrop":
                side = 32 + 2 * int(params["padding"])  # pyright: ignore[reportArgumentType] # whole
                reflect = params["mode"] == "reflect"
                border = cv2.BORDER_REFLECT_101 if reflect else cv2.BORDER_CONSTANT
                steps = [
                    A.PadIfNeeded(side, side, border_mode=border, fill=0, p=1),
                    A.Crop(x_min=x, y_min=y, x_max=x + 32, y_max=y + 32, p=1),
                ]
            else:
                size = int(params["size"])  # pyright: ignore[reportArgumentType] # whole
                result = result.copy()
                result[y : y + size, x : x + size] = MEAN if params["fill"] == "mean" else 0
                continue
            result = A.Compose(steps)(image=result)["image"]
        results.append(result)
    return np.stack(results)


CROPS = [
    op("PadCrop", padding=padding, mode=mode)
    for mode in ("constant", "reflect")
    for padding in range(1, 9)
]
SEQUENCES = [
    *((crop,) for crop in CROPS),
    (op("HorizontalFlip"),),
    (op("HorizontalFlip", p=0.5),),
    *((op("Cutout", size=size, fill=fill),) for size in (2, 7, 24) for fill in ("mean", "black")),
    (op("PadCrop"), op("Cutout", size=8)),
    (op("Cutout", size=8), op("PadCrop")),
    (op("PadCrop", p=0.5, mode="reflect"), op("HorizontalFlip", p=0.5), op("Cutout", p=0.5)),
    (op("Cutout", p=0.5), op("HorizontalFlip", p=0.5), op("PadCrop", p=0.5, mode="reflect")),
    (op("PadCrop", padding=2), op("PadCrop", padding=3), op("Cutout"), op("Cutout", size=4)),
]


@pytest.mark.parametrize("operations", SEQUENCES, ids=lambda ops: "-".join(o.name for o in ops))
def test_kernels_give_the_pixels_of_albumentations(operations: tuple[Operation, ...]) -> None:
    images = images_of(48)
    draws = drawn(48, *operations)
    result = kernels.apply(images, draws, MEAN_TENSOR)
    assert result.dtype == torch.uint8
    np.testing.assert_array_equal(result.numpy(), by_albumentations(images, draws))


@pytest.mark.parametrize("operations", SEQUENCES, ids=lambda ops: "-".join(o.name for o in ops))
def test_a_cpu_and_any_device_give_the_same_pixels(operations: tuple[Operation, ...]) -> None:
    images, draws = images_of(48), drawn(48, *operations, seed=3)
    expected = kernels.apply_torch(images, draws, MEAN_TENSOR)
    assert torch.equal(kernels.apply(images, draws, MEAN_TENSOR), expected)
    strided = images.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(kernels.apply(strided, draws, MEAN_TENSOR), expected)


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_every_window_of_a_crop_is_that_of_albumentations(mode: str) -> None:
    side = 9
    images = images_of(1).expand(side * side, -1, -1, -1).contiguous()
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    applied = torch.ones(side * side, dtype=torch.bool)
    draws = [kernels.Draw(op("PadCrop", mode=mode), applied, x.ravel(), y.ravel())]
    result = kernels.apply(images, draws, MEAN_TENSOR).numpy()
    np.testing.assert_array_equal(result, by_albumentations(images, draws))
    np.testing.assert_array_equal(result[4 * side + 4], images[0].numpy())


def test_flip_twice_is_identity() -> None:
    images = images_of(8)
    draws = drawn(8, op("HorizontalFlip"), op("HorizontalFlip"))
    assert (kernels.apply(images, draws, MEAN_TENSOR) == images).all()


def test_a_cutout_leaves_one_square_of_the_color_and_everything_else() -> None:
    images = torch.full((64, 32, 32, 3), 200, dtype=torch.uint8)
    result = kernels.apply(images, drawn(64, op("Cutout", size=7)), MEAN_TENSOR)
    hole = (result == MEAN_TENSOR).all(dim=-1)
    assert (hole.sum(dim=(1, 2)) == 49).all()
    assert (result[~hole] == 200).all()
    for one in hole:
        y, x = torch.nonzero(one).T
        assert (y.max() - y.min(), x.max() - x.min()) == (6, 6)


@pytest.mark.parametrize("name", ["PadCrop", "HorizontalFlip", "Cutout"])
def test_probability_0_is_identity_and_1_always_fires(name: str) -> None:
    images = images_of(32)
    (never,), (always,) = drawn(32, op(name, p=0)), drawn(32, op(name, p=1))
    assert not never.applied.any()
    assert always.applied.all()
    assert (kernels.apply(images, [never], MEAN_TENSOR) == images).all()


def test_no_operation_returns_the_images() -> None:
    images = images_of(4)
    assert (kernels.apply(images, drawn(4), MEAN_TENSOR) == images).all()


def test_the_input_is_not_changed() -> None:
    images = images_of(16)
    before = images.clone()
    for operations in SEQUENCES:
        kernels.apply(images, drawn(16, *operations), MEAN_TENSOR)
        assert (images == before).all()


def test_the_same_seed_draws_the_same_and_another_differs() -> None:
    operations = (op("PadCrop"), op("HorizontalFlip", p=0.5), op("Cutout"))

    def numbers(seed: int) -> Tensor:
        draws = drawn(64, *operations, seed=seed)
        return torch.cat([torch.stack([d.applied.long(), d.x, d.y]) for d in draws])

    assert (numbers(5) == numbers(5)).all()
    assert (numbers(5) != numbers(6)).any()


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    drawn(64, op("PadCrop"), op("Cutout"))
    assert (torch.random.get_rng_state() == before).all()


@pytest.mark.parametrize(
    ("operation", "places"),
    [
        (op("PadCrop", padding=4), 9),
        (op("PadCrop", padding=1), 3),
        (op("Cutout", size=16), 17),
        (op("Cutout", size=24), 9),
    ],
)
def test_places_are_uniform_over_all_there_are(operation: Operation, places: int) -> None:
    from scipy.stats import chisquare

    (d,) = drawn(20_000, operation, seed=11)
    for axis in (d.x, d.y):
        assert (axis.min(), axis.max()) == (0, places - 1)
        assert chisquare(np.bincount(axis, minlength=places)).pvalue > 1e-4
    both = np.bincount(d.y * places + d.x, minlength=places**2)
    assert chisquare(both).pvalue > 1e-4


@pytest.mark.parametrize("p", [0.1, 0.5, 0.75])
def test_an_operation_fires_as_often_as_it_should(p: float) -> None:
    num_images = 20_000
    (d,) = drawn(num_images, op("HorizontalFlip", p=p), seed=12)
    assert abs(d.applied.double().mean().item() - p) < 5 * (p * (1 - p) / num_images) ** 0.5


def test_images_and_operations_are_drawn_independently() -> None:
    operations = (op("PadCrop", p=0.5), op("HorizontalFlip", p=0.5), op("Cutout", p=0.5))
    num_images = 20_000
    draws = drawn(num_images, *operations, seed=13)
    rows = [part.double().numpy() for d in draws for part in (d.applied, d.x, d.y) if part.any()]
    neighbors = [np.roll(row, shift) for row in rows for shift in (1, 2)]
    correlation = np.corrcoef([*rows, *neighbors]) - np.eye(3 * len(rows))
    # The standard deviation of a correlation of independent numbers is 1 / sqrt(n).
    assert len(rows) == 7
    assert np.abs(correlation).max() < 5 / num_images**0.5


def test_normalize_is_zero_mean_and_unit_deviation_in_channels_last() -> None:
    images = images_of(16)
    mean, std = np.array([0.49, 0.48, 0.45]), np.array([0.247, 0.243, 0.262])
    result = kernels.normalize(
        images, torch.tensor(mean, dtype=torch.float32), torch.tensor(std, dtype=torch.float32)
    )
    expected = ((images.numpy() / 255 - mean) / std).transpose(0, 3, 1, 2)
    assert result.shape == (16, 3, 32, 32)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)
