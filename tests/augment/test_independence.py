"""Operations of one spec are independent: what fires, and with which values, on both paths."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, Operation, kernels
from cifar_core.augment.pipeline import AugmentedImages
from tests.made_up_data import made_up_split

MEAN = (125, 123, 114)
PIXEL = [
    name for name, entry in CATALOG.items() if entry.group not in ("Mixing", "Choice")
]  # in one spec, so that every pair of the catalog meets
# One record of each operation that chance gives a value, of those that albumentations keeps.
CHOSEN = {
    "PadCrop": "crop_coords",
    "RandomRotate90": "factor",
    "Rotate": "matrix",
    "Affine": "matrix",
    "RandomResizedCrop": "crop_coords",
    "Perspective": "matrix",
    "GridDistortion": "map_x",
    "OpticalDistortion": "map_x",
    "ElasticTransform": "map_x",
    "Cutout": "holes",
    "CoarseDropout": "holes",
    "GridDropout": "holes",
    "PixelDropout": "drop_mask",
    "ChannelDropout": "channels_to_drop",
    "ColorJitter": "brightness",
    "RandomBrightnessContrast": "alpha",
    "HueSaturationValue": "hue_shift",
    "RandomGamma": "gamma",
    "RandomToneCurve": "low_y",
    "RGBShift": "noise_map",
    "PlanckianJitter": "temperature",
    "Illumination": "angle",
    "CLAHE": "clip_limit",
    "Solarize": "threshold",
    "Posterize": "num_bits",
    "Sharpen": "alpha",
    "Emboss": "emboss_matrix",
    "GaussianBlur": "kernel",
    "MotionBlur": "kernel",
    "Downscale": "scale",
    "ImageCompression": "quality",
    "GaussNoise": "noise_map",
    "ISONoise": "color_shift",
    "ShotNoise": "scale",
    "MultiplicativeNoise": "multiplier",
    "SaltAndPepper": "salt_mask",
}


Applied = list[tuple[str, dict[str, Any]]]


def applied(spec: AugmentSpec, num_images: int) -> list[Applied]:
    """What albumentations says that it did to each image, as training draws it, in our names."""
    images = AugmentedImages(made_up_split(num_images, 0).images, spec, MEAN, seed=3)
    steps = [images.augment(0, index)["applied_transforms"] for index in range(num_images)]
    return [[(_ours(*step), step[1]) for step in one if step[0] != "PadIfNeeded"] for one in steps]


def _ours(name: str, params: dict[str, Any]) -> str:
    if name == "CoarseDropout" and tuple(params["fill"]) == MEAN:
        return "Cutout"
    return {"RandomCrop": "PadCrop"}.get(name, name)


def combinations_of(spec: AugmentSpec, num_images: int) -> "Counter[frozenset[str]]":
    """How often each set of operations was applied together."""
    all_applied = applied(spec, num_images)
    return Counter(frozenset(name for name, _ in transforms) for transforms in all_applied)


def applied_by_kernels(spec: AugmentSpec, num_images: int) -> NDArray[np.bool_]:
    """(N, operations)."""
    draws = kernels.draw(spec, num_images, seed=3)
    return torch.stack([d.applied for d in draws], dim=1).numpy()


def worst_correlation(columns: NDArray[Any]) -> float:
    """The largest |r| of any two of the columns of an (N, C) table."""
    matrix = np.corrcoef(columns, rowvar=False)
    return float(np.abs(matrix - np.eye(len(matrix))).max())


def sampling_error(num: int) -> float:
    """Five standard deviations of the correlation of `num` independent pairs."""
    return 5 / num**0.5


def test_all_combinations_of_three_operations_occur_equally_often() -> None:
    spec, num = PRESETS["s9_sepnet"], 1200
    acted = combinations_of(spec, num)
    assert len(acted) == 8
    error = (1 / 8 * 7 / 8 / num) ** 0.5
    assert max(abs(count / num - 1 / 8) for count in acted.values()) < 5 * error


def test_whether_one_operation_fires_says_nothing_of_any_other() -> None:
    spec, num = AugmentSpec(operations=tuple(Operation(name=n, p=0.5) for n in PIXEL)), 600
    was_applied = np.zeros((num, len(PIXEL)))
    for row, transforms in zip(was_applied, applied(spec, num), strict=True):
        row[[PIXEL.index(name) for name, _ in transforms]] = 1
    assert (np.abs(was_applied.mean(axis=0) - 0.5) < sampling_error(num) / 2).all()
    assert worst_correlation(was_applied) < sampling_error(num)


def test_the_values_of_one_operation_say_nothing_of_those_of_any_other() -> None:
    spec, num = AugmentSpec(operations=tuple(Operation(name=n, p=1) for n in CHOSEN)), 600
    values = np.zeros((num, len(CHOSEN)))
    for row, one in zip(values, applied(spec, num), strict=True):
        row[:] = [_a_number(dict(one)[name][key]) for name, key in CHOSEN.items()]
    assert (np.ptp(values, axis=0) > 0).all()
    assert worst_correlation(values) < sampling_error(num)


def test_two_operations_of_one_name_draw_apart() -> None:
    twice = (Operation(name="Rotate", p=1, params={"limit": (-15.0, 15.0)}),) * 2
    angles = np.array(
        [[params["matrix"][0][1] for _, params in one] for one in applied(_spec(*twice), 400)]
    )
    assert worst_correlation(angles) < sampling_error(400)


@pytest.mark.parametrize("kind", ["OneOf", "SomeOf"])
def test_a_member_of_a_choice_fires_without_the_operation_before_it(kind: str) -> None:
    members = tuple(Operation(name=n, p=0.5) for n in ("ToGray", "InvertImg", "Solarize"))
    choice = Operation(name=kind, p=0.5, operations=members)
    spec = _spec(Operation(name="HorizontalFlip", p=0.5), choice)
    acted = combinations_of(spec, 800)
    for member in members:
        alone = acted[frozenset({member.name})]
        flipped = acted[frozenset({member.name, "HorizontalFlip"})]
        assert min(alone, flipped) > 0
        assert abs(alone - flipped) < 5 * (alone + flipped) ** 0.5


def test_kernels_fire_and_draw_independently() -> None:
    names = [name for name in PIXEL if CATALOG[name].batched]
    spec, num = _spec(*(Operation(name=name, p=0.5) for name in names * 2)), 4096
    assert worst_correlation(applied_by_kernels(spec, num)) < sampling_error(num)
    draws = kernels.draw(spec, num, seed=3)
    places = [axis for d in draws if d.x.max() > 0 for axis in (d.x, d.y)]
    assert worst_correlation(torch.stack(places, dim=1).numpy()) < sampling_error(num)


def test_an_operation_put_in_behind_others_leaves_their_draws_alone() -> None:
    first = _spec(Operation(name="HorizontalFlip"), Operation(name="Rotate", p=0.5))
    longer = _spec(*first.operations, Operation(name="InvertImg", p=0.5))
    for short, long in zip(applied(first, 60), applied(longer, 60), strict=True):
        kept = [step for step in long if step[0] != "InvertImg"]
        assert [name for name, _ in kept] == [name for name, _ in short]
        for (_, one), (_, other) in zip(short, kept, strict=True):
            assert str(one) == str(other)


def _a_number(record: Any) -> float:
    """Of an array, as far as possible from its middle: a bulge moves no pixel there."""
    return float(np.ravel(record)[: max(1, np.size(record) // 3)].mean())


def _spec(*operations: Operation) -> AugmentSpec:
    return AugmentSpec(operations=operations)
