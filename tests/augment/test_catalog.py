"""Contract of every operation of the catalog: it runs at its defaults and at all its bounds."""

import inspect
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, Operation, kernels
from cifar_core.augment.albumentations_calls import calls_of
from cifar_core.augment.pipeline import AugmentedImages, compose, library
from tests.made_up_data import made_up_split

MEAN = (125, 123, 114)
SIZE = (32, 32, 3)


PLAIN = [name for name, transform in CATALOG.items() if not transform.holds]
OURS = ("PadCrop", "Cutout")


def settings(name: str) -> list[dict[str, Any]]:
    """The defaults; each parameter at its lowest, its highest and over its whole range."""
    values: list[dict[str, Any]] = [{}]
    for param in CATALOG[name].params:
        if param.choices:
            values += [{param.name: word} for word in param.choices]
        elif isinstance(param.default, tuple) and len(param.default) == 3:
            values += [{param.name: (0, 0, 0)}, {param.name: (255, 255, 255)}]
        elif isinstance(param.default, tuple):
            kind = type(param.default[0])
            least = 1 if param.apart else 0
            ends = [
                (param.low, param.low + least),
                (param.high - least, param.high),
                (param.low, param.high),
            ]
            values += [{param.name: (kind(low), kind(high))} for low, high in ends]
        else:
            values += [{param.name: type(param.default)(end)} for end in (param.low, param.high)]
    return values


def cases(*, mixing: bool) -> list[tuple[str, dict[str, Any]]]:
    names = [name for name in PLAIN if (CATALOG[name].group == "Mixing") == mixing]
    return [(name, params) for name in names for params in settings(name)]


def certain(name: str, params: dict[str, Any]) -> AugmentSpec:
    """A spec of one operation that always fires."""
    return AugmentSpec(operations=(Operation(name=name, p=1, params=params),))


def test_every_operation_and_parameter_has_a_description() -> None:
    for name, transform in CATALOG.items():
        assert transform.name == name
        assert transform.about.endswith("."), name
        assert 0 <= transform.p <= 1, name
        assert len({param.name for param in transform.params}) == len(transform.params), name
        for param in transform.params:
            case = f"{name}.{param.name}"
            assert param.help.endswith("."), case
            assert param.accept(param.default) == param.default, case
            assert type(param.accept(param.default)) is type(param.default), case


def test_there_are_many_of_the_librarys_own() -> None:
    theirs = [n for n in PLAIN if n not in OURS and CATALOG[n].group != "Mixing"]
    assert len(theirs) >= 25


def test_defaults_are_those_of_the_signature_or_say_why_not() -> None:
    for name in [n for n in PLAIN if n not in OURS and CATALOG[n].group != "Mixing"]:
        signature = inspect.signature(getattr(library(), name).__init__).parameters
        for param in CATALOG[name].params:
            theirs = signature[param.name].default
            same = theirs == param.default
            case = f"{name}.{param.name}: {theirs} there, {param.default} here"
            assert same == (not param.why), case


@pytest.mark.parametrize("name", [n for n in PLAIN if CATALOG[n].group != "Mixing"])
def test_an_operation_runs_through_albumentations(name: str) -> None:
    images = made_up_split(4, 0).images
    images[0], images[1] = 0, 255
    images.flags.writeable = False  # as memory-mapped data are
    for params in settings(name):
        pipeline = compose(certain(name, params), MEAN)
        for seed, image in enumerate(images):
            pipeline.set_random_seed(seed)
            result = pipeline(image=image)["image"]
            assert result.shape == SIZE, params
            assert result.dtype == np.uint8, params


@pytest.mark.parametrize("name", [n for n in PLAIN if CATALOG[n].group != "Mixing"])
def test_an_operation_that_always_fires_changes_pixels_and_one_that_never_does_none(
    name: str,
) -> None:
    image = made_up_split(1, 0).images[0]
    never = compose(AugmentSpec(operations=(Operation(name=name, p=0),)), MEAN)
    always = compose(certain(name, {}), MEAN)
    changed = []
    for seed in range(8):
        never.set_random_seed(seed)
        always.set_random_seed(seed)
        assert (never(image=image)["image"] == image).all()
        changed.append((always(image=image)["image"] != image).any())
    assert any(changed)


def test_an_affine_shifts_by_whole_pixels_all_equally_likely() -> None:
    """Both axes, 600 images each: 20% of each of five shifts, five standard deviations."""
    params = {"scale": (1.0, 1.0), "rotate": (0.0, 0.0)}
    images = AugmentedImages(made_up_split(600, 0).images, certain("Affine", params), MEAN, 3)
    steps = [images.augment(0, index)["applied_transforms"][0][1] for index in range(600)]
    shifts = np.array([np.asarray(values["matrix"])[:2, 2] for values in steps])
    for axis in shifts.T:
        values, counts = np.unique(axis, return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        assert (np.abs(counts - 120) < 5 * (600 * 0.2 * 0.8) ** 0.5).all()


@pytest.mark.parametrize("keep_ratio", [True, False])
def test_an_affine_has_one_scale_for_both_axes_or_two(keep_ratio: bool) -> None:
    spec = certain("Affine", {"keep_ratio": keep_ratio})
    images = AugmentedImages(made_up_split(20, 0).images, spec, MEAN, 3)
    scales = [images.augment(0, index)["applied_transforms"][0][1]["scale"] for index in range(20)]
    assert all((scale["x"] == scale["y"]) == keep_ratio for scale in scales)


@pytest.mark.parametrize("name", ["s9_sepnet", "eva_resnet18"])
def test_the_references_shift_scale_rotate_has_the_defaults_it_had(name: str) -> None:
    """albumentations 1.3.1: shift_limit 0.0625, scale_limit 0.1, rotate_limit 45, REFLECT_101."""
    (step,) = [call for call in calls_of(PRESETS[name], MEAN) if call.name == "Affine"]
    assert step.params == {
        "translate_px": (-0.0625 * 32, 0.0625 * 32),
        "scale": (1 - 0.1, 1 + 0.1),
        "rotate": (-45, 45),
        "keep_ratio": True,
        "border_mode": cv2.BORDER_REFLECT_101,
        "p": 0.5,
    }


@pytest.mark.parametrize(
    ("name", "params"), [case for case in cases(mixing=False) if CATALOG[case[0]].batched]
)
def test_a_batched_operation_runs_through_its_kernel(name: str, params: dict[str, Any]) -> None:
    images = torch.from_numpy(made_up_split(16, 0).images)
    draws = kernels.draw(certain(name, params), len(images), seed=0)
    result = kernels.apply(images, draws, torch.tensor(MEAN, dtype=torch.uint8))
    assert result.shape == (16, *SIZE)
    assert result.dtype == torch.uint8
    assert (result != images).any()


@pytest.mark.parametrize(("name", "params"), cases(mixing=True))
def test_a_mixing_operation_gives_targets_that_sum_to_1(name: str, params: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(20, 3, 32, 32, generator=generator)
    labels = torch.arange(20) % 10
    (operation,) = certain(name, params).mixing
    for seed in range(5):
        mixed, targets = kernels.mix(images, labels, (operation,), 10, seed)
        assert mixed.shape == images.shape
        assert mixed.isfinite().all()
        assert targets.shape == (20, 10)
        assert (targets >= 0).all()
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(20))


def test_mixup_blends_pairs_and_labels_by_one_share() -> None:
    images = torch.zeros(10, 3, 32, 32)
    images += torch.arange(10.0)[:, None, None, None]
    (operation,) = certain("MixUp", {"alpha": 1.0}).mixing
    mixed, targets = kernels.mix(images, torch.arange(10), (operation,), 10, seed=3)
    # An image of the constant k with label k: the blend is the expectation of the labels.
    expected = (targets * torch.arange(10.0)).sum(dim=1)
    torch.testing.assert_close(mixed, expected[:, None, None, None].expand_as(mixed))


def test_cutmix_pastes_a_part_and_labels_go_by_its_area() -> None:
    images = torch.zeros(10, 3, 32, 32)
    images += torch.arange(10.0)[:, None, None, None]
    (operation,) = certain("CutMix", {}).mixing
    mixed, targets = kernels.mix(images, torch.arange(10), (operation,), 10, seed=3)
    for k in range(10):
        shares = torch.bincount(mixed[k, 0].long().ravel(), minlength=10) / 1024
        torch.testing.assert_close(targets[k], shares)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.3, 0.5), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_at_most_one_mixes_a_batch_each_as_often_as_it_should(mixup: float, cutmix: float) -> None:
    operations = (Operation(name="MixUp", p=mixup), Operation(name="CutMix", p=cutmix))
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, 32, 32).contiguous()
    labels = torch.arange(4)
    plain = blended = 0
    num_batches = 400
    for seed in range(num_batches):
        mixed, targets = kernels.mix(images, labels, operations, 10, seed)
        plain += targets.ndim == 1
        blended += bool((mixed != mixed.round()).any())
        if targets.ndim == 1:
            assert mixed is images
            assert targets is labels
    # Five standard deviations; a MixUp whose share is nearly 1 may round to whole numbers.
    assert abs(plain / num_batches - (1 - mixup - cutmix)) <= 5 * 0.5 / num_batches**0.5
    assert blended / num_batches <= mixup + 5 * 0.5 / num_batches**0.5
    if mixup in (0, 1) and cutmix in (0, 1):
        assert plain == (num_batches if not mixup + cutmix else 0)


def test_mixing_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    (operation,) = certain("CutMix", {}).mixing
    first = kernels.mix(torch.randn(4, 3, 32, 32), torch.arange(4), (operation,), 10, 0)
    torch.random.set_rng_state(before)
    images = torch.randn(4, 3, 32, 32)
    after = torch.random.get_rng_state()
    second = kernels.mix(images, torch.arange(4), (operation,), 10, 0)
    assert (torch.random.get_rng_state() == after).all()
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()
