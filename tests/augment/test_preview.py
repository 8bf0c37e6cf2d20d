"""The preview: originals and draws by the path that the run will take."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cifar_core.augment import AugmentSpec, Operation, preset
from cifar_core.augment.applied import AppliedTransform
from cifar_core.augment.pipeline import AugmentedImages
from cifar_core.augment.preview import (
    Preview,
    as_tensor,
    contact_sheet,
    isolated,
    one_per_class,
    preview,
    tensor_image,
)
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import histogram_of, mean_color

LOADED = preset("eva_resnet18")


@pytest.mark.parametrize("spec", [preset("cutout"), LOADED, preset("strong")], ids=str)
def test_the_same_seed_gives_the_same_grid(tiny: Dataset, spec: AugmentSpec) -> None:
    indices = np.arange(12)
    first, again = (preview(spec, tiny, indices, 3, seed=5) for _ in range(2))
    assert first.draws.shape == (3, 12, 32, 32, 3)
    assert first.draws.dtype == np.uint8
    assert (first.draws == again.draws).all()
    assert first.applied == again.applied
    assert (first.draws != preview(spec, tiny, indices, 3, seed=6).draws).any()
    assert len({draw.tobytes() for draw in first.draws}) == 3, "draws differ"


@pytest.mark.parametrize("spec", [preset("cutout"), LOADED], ids=str)
def test_more_draws_do_not_change_the_first_ones(tiny: Dataset, spec: AugmentSpec) -> None:
    few, many = (preview(spec, tiny, np.arange(6), num, seed=0) for num in (2, 5))
    assert (many.draws[:2] == few.draws).all()


def test_draws_through_albumentations_are_those_that_training_sees(tiny: Dataset) -> None:
    """Draw d of image i is what epoch d of a run with that seed makes of it."""
    images = AugmentedImages(tiny.train.images, LOADED, mean_color(tiny), seed=9)
    indices = np.array([3, 40, 7])
    shown = preview(LOADED, tiny, indices, 2, seed=9)
    for d in range(2):
        for column, index in enumerate(indices):
            assert (shown.draws[d, column] == images[(d, int(index))]).all()


def test_rows_begin_with_the_original(tiny: Dataset) -> None:
    indices = np.array([5, 1])
    shown = preview(preset("standard"), tiny, indices, 4, seed=0)
    rows = shown.rows()
    assert rows.shape == (2, 5, 32, 32, 3)
    assert (rows[:, 0] == tiny.train.images[indices]).all()
    assert (rows[1, 3] == shown.draws[2, 1]).all()


def certain(*names: str, p: float = 1) -> AugmentSpec:
    return AugmentSpec(operations=tuple(Operation(name=name, p=p) for name in names))


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (certain("HorizontalFlip", "Cutout"), "HorizontalFlip Cutout"),
        (certain("PadCrop", "HorizontalFlip"), "PadCrop HorizontalFlip"),
        (certain("PadCrop", "VerticalFlip", "Cutout"), "PadCrop VerticalFlip Cutout"),
        (certain("Cutout", "CoarseDropout"), "Cutout CoarseDropout"),
        (certain("ToGray"), "ToGray"),
        (certain("VerticalFlip", p=0), ""),
        (certain("HorizontalFlip", p=0), ""),
        (preset("none"), ""),
    ],
    ids=str,
)
def test_it_names_the_applied_operations_as_in_the_spec(
    tiny: Dataset, spec: AugmentSpec, names: str
) -> None:
    shown = preview(spec, tiny, np.arange(3), 2, seed=0)
    for transforms in (transforms for row in shown.applied for transforms in row):
        assert " ".join(each.name for each in transforms) == names
    assert (shown.caption(0, 0) == "nothing") == (not names)


def test_a_choice_names_the_one_that_was_taken(tiny: Dataset) -> None:
    members = (Operation(name="VerticalFlip"), Operation(name="PadCrop"))
    spec = AugmentSpec(operations=(Operation(name="OneOf", p=1, operations=members),))
    shown = preview(spec, tiny, np.arange(20), 2, seed=0)
    taken = [each[0].name for row in shown.applied for each in row if len(each) == 1]
    assert len(taken) == 40
    assert set(taken) == {"VerticalFlip", "PadCrop"}


@pytest.mark.parametrize("beside", [(), ("VerticalFlip",)], ids=["kernels", "albumentations"])
def test_it_says_with_which_values(tiny: Dataset, beside: tuple[str, ...]) -> None:
    """The window that a crop names, cut from the padded original, is the draw."""
    shown = preview(certain("PadCrop", *beside), tiny, np.arange(12), 2, seed=1)
    for d in range(2):
        for n, original in enumerate(shown.originals):
            x, y = (4 + int(offset) for offset in shown.applied[d][n][0].values.split(","))
            window = np.pad(original, ((4, 4), (4, 4), (0, 0)))[y : y + 32, x : x + 32]
            assert (shown.draws[d, n] == (window[::-1] if beside else window)).all()


@pytest.mark.parametrize("beside", [(), ("VerticalFlip",)], ids=["kernels", "albumentations"])
def test_the_share_that_shows_no_picture_is_counted(tiny: Dataset, beside: tuple[str, ...]) -> None:
    """On a picture without black, border and hole are what is black."""
    cut = Operation(name="Cutout", p=0.5, params={"fill": "black", "size": 7})
    spec = AugmentSpec(operations=(*certain("PadCrop", *beside).operations, cut))
    split = replace(tiny.train, images=np.maximum(tiny.train.images, 60))
    shown = preview(spec, tiny, np.arange(12), 3, seed=2, split=split)
    black = (shown.draws == 0).all(axis=-1).mean(axis=(2, 3))
    assert shown.filled == pytest.approx(black)
    assert 0 < shown.filled.mean() < 1
    plain = AugmentedImages(split.images, spec, mean_color(tiny), seed=2)
    if beside:  # measuring it changes nothing
        assert (shown.draws[1, 3] == plain[(1, 3)]).all()


def test_each_operation_can_be_looked_at_alone() -> None:
    spec = preset("strong")
    found = isolated(spec)
    assert [str(one) for one in found] == ["PadCrop", "HorizontalFlip", "ColorJitter", "Cutout"]


def test_the_tensor_has_the_moments_of_the_data(tiny: Dataset) -> None:
    values = as_tensor(np.asarray(tiny.train.images), tiny)
    assert values.mean(axis=(0, 1, 2)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert values.std(axis=(0, 1, 2)) == pytest.approx([1, 1, 1], abs=1e-4)
    gray = tensor_image(np.array([[0.0, -9.0, 9.0]], np.float32))
    assert gray.tolist() == [[127, 0, 255]]


@pytest.mark.parametrize("other", ["HorizontalFlip", "VerticalFlip"])
def test_what_fired_is_true(tiny: Dataset, other: str) -> None:
    shown = preview(certain(other, p=0.5), tiny, np.arange(20), 3, seed=0)
    for d, row in enumerate(shown.applied):
        for i, fired in enumerate(row):
            changed = (shown.draws[d, i] != shown.originals[i]).any()
            assert changed == (fired == (AppliedTransform(other),))
    assert len({fired for row in shown.applied for fired in row}) == 2


def test_mixing_is_shown_with_the_shares_of_the_classes(tiny: Dataset) -> None:
    indices = np.arange(4)
    mixing = Operation(name="MixUp", p=1.0)
    with_mixing = AugmentSpec(operations=(*preset("standard").operations, mixing))
    plain, mixed = (preview(s, tiny, indices, 2, 0) for s in (preset("standard"), with_mixing))
    assert mixed.draws.dtype == np.uint8
    assert mixed.draws.shape == plain.draws.shape
    assert (plain.draws != mixed.draws).any()
    assert all("%" in mixed.caption(d, i) for d in range(2) for i in range(4))
    assert not any("%" in plain.caption(d, i) for d in range(2) for i in range(4))


def test_one_per_class_takes_that_image_of_each_class_there_is() -> None:
    labels = np.array([3, 0, 3, 0, 9, 3], np.uint8)
    images = np.zeros((6, 32, 32, 3), np.uint8)
    split = Split(images, labels, histogram_of(images), "")
    assert one_per_class(split).tolist() == [1, 0, 4]
    assert one_per_class(split, 1).tolist() == [3, 2, 4]
    assert one_per_class(split, 2).tolist() == [1, 5, 4]


def test_a_contact_sheet_is_a_png_of_enlarged_tiles() -> None:
    rows = np.random.default_rng(0).integers(0, 255, (2, 3, 32, 32, 3), dtype=np.uint8)
    shown = Preview(rows[:, 0], rows[:, 1:].transpose(1, 0, 2, 3, 4), [], np.zeros(0), [])
    assert (shown.rows() == rows).all()
    with Image.open(io.BytesIO(contact_sheet(rows, scale=3, gap=4))) as sheet:
        assert sheet.format == "PNG"
        assert sheet.size == (3 * 96 + 2 * 4, 2 * 96 + 4)
        pixels = np.asarray(sheet)
    for r in range(2):
        for c in range(3):
            tile = pixels[r * 100 : r * 100 + 96, c * 100 : c * 100 + 96]
            assert (tile[1::3, 1::3] == rows[r, c]).all()
            assert (tile[::3, ::3] == tile[2::3, 2::3]).all()
    assert (pixels[96:100] == 255).all()
    assert (pixels[:, 96:100] == 255).all()
