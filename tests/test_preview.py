"""The preview: originals and draws by the path that the run will take."""

import io

import numpy as np
import pytest
from PIL import Image

from cifar_core.augment import AugmentSpec, Operation, preset
from cifar_core.augment.pipeline import AugmentedImages
from cifar_core.augment.preview import Preview, contact_sheet, one_per_class, preview
from cifar_core.batches import mean_colour
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import histogram_of

LOADED = preset("eva_resnet18")


@pytest.mark.parametrize("spec", [preset("cutout"), LOADED, preset("strong")], ids=str)
def test_the_same_seed_gives_the_same_grid(tiny: Dataset, spec: AugmentSpec) -> None:
    indices = np.arange(12)
    first, again = (preview(spec, tiny, indices, 3, seed=5) for _ in range(2))
    assert first.draws.shape == (3, 12, 32, 32, 3)
    assert first.draws.dtype == np.uint8
    assert (first.draws == again.draws).all()
    assert first.fired == again.fired
    assert (first.draws != preview(spec, tiny, indices, 3, seed=6).draws).any()
    assert len({draw.tobytes() for draw in first.draws}) == 3, "draws differ"


@pytest.mark.parametrize("spec", [preset("cutout"), LOADED], ids=str)
def test_more_draws_do_not_change_the_first_ones(tiny: Dataset, spec: AugmentSpec) -> None:
    few, many = (preview(spec, tiny, np.arange(6), num, seed=0) for num in (2, 5))
    assert (many.draws[:2] == few.draws).all()


def test_draws_through_albumentations_are_those_that_training_sees(tiny: Dataset) -> None:
    """Draw d of image i is what epoch d of a run with that seed makes of it."""
    images = AugmentedImages(tiny.train.images, LOADED, mean_colour(tiny), seed=9)
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
    ("spec", "text"),
    [
        (certain("HorizontalFlip", "Cutout"), "HorizontalFlip, Cutout"),
        (certain("PadCrop", "HorizontalFlip"), "PadCrop, HorizontalFlip"),
        (certain("PadCrop", "VerticalFlip", "Cutout"), "PadCrop, VerticalFlip, Cutout"),
        (certain("ToGray"), "ToGray"),
        (certain("VerticalFlip", p=0), "nothing"),
        (certain("HorizontalFlip", p=0), "nothing"),
        (preset("none"), "nothing"),
    ],
    ids=str,
)
def test_it_names_what_fired_in_the_words_of_the_spec(
    tiny: Dataset, spec: AugmentSpec, text: str
) -> None:
    shown = preview(spec, tiny, np.arange(3), 2, seed=0)
    assert shown.fired == [[text] * 3] * 2


@pytest.mark.parametrize("other", ["HorizontalFlip", "VerticalFlip"])
def test_what_fired_is_true(tiny: Dataset, other: str) -> None:
    shown = preview(certain(other, p=0.5), tiny, np.arange(20), 3, seed=0)
    for d, names in enumerate(shown.fired):
        for i, text in enumerate(names):
            changed = (shown.draws[d, i] != shown.originals[i]).any()
            assert changed == (text == other)
    assert len({text for names in shown.fired for text in names}) == 2


def test_mixing_is_shown_with_the_shares_of_the_classes(tiny: Dataset) -> None:
    indices = np.arange(4)
    mixing = Operation(name="MixUp", p=1.0)
    with_mixing = AugmentSpec(operations=(*preset("standard").operations, mixing))
    plain, mixed = (preview(s, tiny, indices, 2, 0) for s in (preset("standard"), with_mixing))
    assert mixed.draws.dtype == np.uint8
    assert mixed.draws.shape == plain.draws.shape
    assert (plain.draws != mixed.draws).any()
    assert all("%" in tip for tips in mixed.fired for tip in tips)


def test_one_per_class_takes_that_image_of_each_class_there_is() -> None:
    labels = np.array([3, 0, 3, 0, 9, 3], np.uint8)
    images = np.zeros((6, 32, 32, 3), np.uint8)
    split = Split(images, labels, histogram_of(images), "")
    assert one_per_class(split).tolist() == [1, 0, 4]
    assert one_per_class(split, 1).tolist() == [3, 2, 4]
    assert one_per_class(split, 2).tolist() == [1, 5, 4]


def test_a_contact_sheet_is_a_png_of_enlarged_tiles() -> None:
    rows = np.random.default_rng(0).integers(0, 255, (2, 3, 32, 32, 3), dtype=np.uint8)
    shown = Preview(rows[:, 0], rows[:, 1:].transpose(1, 0, 2, 3, 4), [])
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
