"""Captioned images on one PNG: each in its place, as it is, and every one of them."""

import io

import numpy as np
import pytest
from PIL import Image

from cifar_core.data.sheet import (
    GAP,
    LINE,
    PAPER,
    SCALE,
    Captioned,
    captioned_sheet,
    enlarged,
    split_sheet,
)
from tests.made_up_data import made_up

SIDE = 32 * SCALE


def opened(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return np.asarray(picture)


@pytest.mark.parametrize("part", ["train", "test"])
def test_images_of_a_split_stand_row_by_row_with_their_pixels(part: str) -> None:
    data = made_up(64, 30)
    split = data.train if part == "train" else data.test
    indices = np.array([3, 11, 19, 4, 28])
    sheet = opened(split_sheet(data, part, indices, columns=3))
    step_x, step_y = SIDE + 2 * GAP, SIDE + GAP + 2 * LINE + 2 * GAP
    for number, index in enumerate(indices):
        x, y = GAP + number % 3 * step_x, 2 * GAP + LINE + number // 3 * step_y
        pixels = sheet[y : y + SIDE : SCALE, x : x + SIDE : SCALE]
        assert np.array_equal(pixels, split.images[index]), number
        caption = sheet[y + SIDE : y + SIDE + 2 + 2 * LINE, x : x + SIDE]
        assert (caption != np.array(PAPER)).any(), number
    assert len(sheet) == GAP + LINE + 2 * step_y + GAP


def test_a_caption_wider_than_its_image_moves_the_next_one() -> None:
    pixels = enlarged(np.zeros((32, 32, 3), np.uint8))
    short, long = Captioned(pixels, ("cat",)), Captioned(pixels, ("automobile " * 5,))
    narrow, wide = (opened(captioned_sheet([one, one], (), 2)) for one in (short, long))
    assert narrow.shape[1] == GAP + 2 * (SIDE + 2 * GAP)
    assert wide.shape[1] > narrow.shape[1]


def test_without_columns_the_sheet_is_a_little_wider_than_high() -> None:
    pixels = enlarged(np.zeros((32, 32, 3), np.uint8))
    for count in (1, 2, 7, 60):
        height, width, _ = opened(captioned_sheet([Captioned(pixels, ("cat",))] * count, ())).shape
        assert count < 7 or 0.8 < width / height < 2.5, count
