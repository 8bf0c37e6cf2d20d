"""What albumentations saved and this app does otherwise: made equal, told, or refused."""

from typing import Any

import pytest

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.augment.pipeline import library
from cifar_core.augment.reading import Reading, read_text
from cifar_core.errors import ConfigError
from tests.augment.built import DATA, MEAN, file_of, of, saved

A = library()
FLIP, GRAY = Operation(name="HorizontalFlip", p=0.5), Operation(name="ToGray", p=0.5)
PAD, CROP = A.PadIfNeeded(40, 40, border_mode=0, p=1), A.RandomCrop(32, 32, p=1)


def read(*transforms: Any) -> Reading:
    """What is read of a pipeline that albumentations saved."""
    return read_text(saved(A.Compose(list(transforms))), DATA)


def refusal(*transforms: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*transforms)
    return str(caught.value)


def step(name: str, **values: Any) -> dict[str, Any]:
    return {"__class_fullname__": name, "p": 1.0, **values}


def pad(height: int, width: int) -> dict[str, Any]:
    return step("PadIfNeeded", min_height=height, min_width=width)


def crop(side: int) -> dict[str, Any]:
    return step("RandomCrop", height=side, width=side)


def without_p(name: str, **values: Any) -> dict[str, Any]:
    return {"__class_fullname__": name, **values}


def test_normalization_at_the_end_is_left_out_and_told() -> None:
    for tail in ([A.Normalize(), A.ToTensorV2()], [A.Normalize()], [A.ToTensorV2()]):
        reading = read(A.HorizontalFlip(p=0.5), *tail)
        assert reading.spec == of(FLIP)
        (note,) = reading.notes
        assert note.startswith(f"Left out: {' and '.join(type(t).__name__ for t in tail)}; ")


@pytest.mark.parametrize(
    "transforms",
    [
        [A.HorizontalFlip(p=0.5), A.Normalize(p=0.5), A.VerticalFlip(p=0.5)],
        [A.Normalize(), A.HorizontalFlip(p=0.5)],
        [A.HorizontalFlip(p=0.5), A.Normalize(p=0.5)],
        [A.HorizontalFlip(p=0.5), A.Normalize(p=0.5), A.ToTensorV2()],
        [A.OneOf([A.Normalize(), A.HorizontalFlip()])],
    ],
)
def test_normalization_elsewhere_or_at_times_is_refused(transforms: list[Any]) -> None:
    assert "Normalize with p = " in refusal(*transforms)


@pytest.mark.parametrize(
    "raw",
    [
        without_p("RandomResizedCrop", size=[32, 32]),
        without_p("HorizontalFlip"),
        without_p("OneOf", transforms=[step("HorizontalFlip")]),
        step("OneOf", transforms=[without_p("HorizontalFlip")]),
        without_p("Sequential", transforms=[step("HorizontalFlip")]),
        without_p("Normalize"),
    ],
)
def test_a_step_without_p_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"has no p\. Give its probability, 0 to 1"):
        read_text(file_of(raw), DATA)
    pad_and_crop = file_of(without_p("PadIfNeeded", min_height=40, min_width=40), crop(32))
    with pytest.raises(ConfigError, match="PadIfNeeded has no p"):
        read_text(pad_and_crop, DATA)


@pytest.mark.parametrize("p", [True, "0.5", None, [1], -0.1, 1.1, float("nan")])
def test_a_probability_that_is_none_is_refused(p: Any) -> None:
    with pytest.raises(ConfigError, match=r"Flip has p = .+; give a probability, 0 to 1"):
        read_text(file_of({**step("HorizontalFlip"), "p": p}), DATA)


def test_groups_that_are_always_applied_are_their_members() -> None:
    crop = Operation(name="PadCrop")
    for group in (
        [PAD, CROP],
        [A.Sequential([PAD, CROP], p=1)],
        [A.Compose([A.Sequential([PAD], p=1), CROP])],
    ):
        assert read(*group, A.HorizontalFlip(p=0.5)).spec == of(crop, FLIP)
    assert read(A.Sequential([PAD, CROP], p=0.5)).spec == of(Operation(name="PadCrop", p=0.5))
    assert read(A.Sequential([A.HorizontalFlip(p=1)], p=0.5)).spec == of(FLIP)
    inside = read(A.OneOf([A.Sequential([PAD, CROP], p=1), A.ToGray(p=0.5)], p=1)).spec
    assert inside.operations[0].operations == (crop, GRAY)


def test_what_is_missing_is_what_albumentations_takes_for_it() -> None:
    (rotate,) = read_text(file_of(step("Rotate")), DATA).spec.operations
    assert rotate.params == {"limit": (-90.0, 90.0)}
    (rotate,) = read_text(file_of(step("Rotate", limit=7)), DATA).spec.operations
    assert rotate.params == {"limit": (-7.0, 7.0)}


def test_no_shift_is_one_of_no_pixels() -> None:
    (affine,) = read(A.Affine(rotate=15)).spec.operations
    assert affine.params == {
        "translate_px": (0, 0),
        "scale": (1.0, 1.0),
        "rotate": (15.0, 15.0),
        "keep_ratio": False,
        "border_mode": "constant",
    }
    nulls = step("Affine", rotate=[15.0, 15.0], translate_percent=None, translate_px=None)
    assert read_text(file_of({**nulls, "p": 0.5}), DATA).spec == of(affine)


def test_holes_in_fractions_are_whole_pixels_and_told() -> None:
    reading = read(A.CoarseDropout(p=0.5))
    params = {
        "num_holes_range": (1, 2),
        "hole_height_range": (3, 6),
        "hole_width_range": (3, 6),
        "fill": (0, 0, 0),
    }
    assert reading.spec == of(Operation(name="CoarseDropout", p=0.5, params=params))
    assert reading.notes == (
        "CoarseDropout: the holes are in whole pixels, height 3 to 6, width 3 to 6, all equally "
        "likely.",
    )
    half = A.CoarseDropout((1, 1), (0.5, 0.5), (0.5, 0.5), fill=MEAN, p=0.5)
    assert read(half).spec == of(Operation(name="Cutout", p=0.5, params={"size": 16}))
    assert "ole_height_range = 0 is out of bounds" in refusal(
        A.CoarseDropout(hole_height_range=(0.01, 0.2), hole_width_range=(0.1, 0.2))
    )


def test_what_the_library_saves_but_does_not_take_must_be_what_it_saves() -> None:
    """PadIfNeeded has `padding: 0`, RGBShift four such values."""
    assert read(PAD, CROP).spec == of(Operation(name="PadCrop"))
    assert read(A.RGBShift(p=0.5)).spec == of(Operation(name="RGBShift", p=0.5))
    for raw, told in (
        (step("RGBShift", spatial_mode="pixel"), "spatial_mode = 'pixel' is not supported"),
        (step("RGBShift", noise_params={}), "noise_params = {} is not supported"),
    ):
        with pytest.raises(ConfigError, match=told):
            read_text(file_of(raw), DATA)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("RandomSnow")], "RandomSnow is not supported"),
        ([step("ShiftScaleRotate")], "Give Affine with translate_px"),
        ([{"p": 1}], "A transform without a name"),
        ([step("MixUp")], "MixUp is not supported"),
        ([step("PadCrop")], "PadCrop is not supported"),
        ([step("Affine", shear=[3.0, 9.0])], "Affine with shear = {'x': [3.0, 9.0]"),
        ([step("Affine", border_mode=[4])], "rejects Affine: border_mode = [4]; "),
        ([step("Affine", translate_percent=0.1, keep_ratio=True)], "keep_ratio = True is not"),
        ([step("Rotate", limit=[-15, float("nan")])], "give finite numbers"),
        ([step("PixelDropout", drop_value=[])], "PixelDropout"),
        ([step("HorizontalFlip", transforms=[])], "HorizontalFlip cannot contain transforms"),
        ([step("CoarseDropout", fill=[])], "CoarseDropout has no argument fill = []"),
        ([step("CoarseDropout", max_holes=3)], "max_holes = 3. It was renamed: give num_holes"),
        ([step("ToGray", strength=3)], "has no argument strength = 3. Remove it."),
        ([step("Sequential", transforms=[step("ToGray")] * 2) | {"p": 0.5}], "one by one"),
        ([pad(41, 41), crop(32)], "must pad all sides equally"),
        ([pad(40, 42), crop(32)], "PadIfNeeded with min_width = 42 is not supported; give 40"),
        ([pad(40, 40), crop(28)], "RandomCrop with height = 28 is not supported; give 32"),
        ([step("OneOf", transforms=[pad(40, 40)])], "PadIfNeeded is not supported. Give PadCrop."),
        ([step("OneOf", transforms=[])], "OneOf has 0 operations"),
        ([step("SomeOf", n=1, replace=True, transforms=[step("ToGray")])], "replace = True is not"),
    ],
)
def test_what_cannot_be_imported_unchanged_is_refused(
    steps: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(file_of(*steps), DATA)
    assert told in str(caught.value)


def test_an_unused_argument_of_version_1_does_no_harm() -> None:
    raw = {**step("HorizontalFlip", always_apply=False), "p": 0.5}
    assert read_text(file_of(raw), DATA).spec == of(FLIP)
    with pytest.raises(ConfigError, match=r"always_apply = True\. It was renamed: give p = 1"):
        read_text(file_of({**raw, "always_apply": True}), DATA)


def test_an_empty_pipeline_is_the_empty_spec() -> None:
    assert read() == Reading(AugmentSpec())
    assert read(A.Normalize()).spec == AugmentSpec()
