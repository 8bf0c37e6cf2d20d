"""Sheets, pixel by pixel: each panel at its place, no card over another, no text cut off."""

import io
import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cifar_core.data.sheet import GAP, LINE, PAPER, SCALE
from cifar_core.explain.maps import peak_note
from cifar_core.explain.overlay import Pixels, heatmap
from cifar_core.explain.sheet import Card, sheet_png

SIDE = 32 * SCALE
WIDTH = 3 * SIDE + 2 * GAP  # of a card
HEADING = ("a run: 2,000 images", "how the maps were made")
LONG = ("true automobile, predicted automobile (100%)", "train 49999 · map: automobile")
NOTES = [peak_note(peak) for peak in (1.0, 0.0, math.nan)]


def opened(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return np.asarray(picture)


def card_of(seed: int = 0, lines: tuple[str, ...] = ("a verdict", "a name")) -> Card:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return Card(pixels, generator.random((32, 32), dtype=np.float32), lines)


def painted(number: int) -> Card:
    """A card of one color that no map has, and that no other number has; its map hides it all."""
    color = np.array([7, 255, number], np.uint8)
    lines = (f"card number {number}", *LONG[1:])
    return Card(np.tile(color, (32, 32, 1)), np.ones((32, 32), np.float32), lines)


def panels(sheet: Pixels, x: int, y: int) -> list[Pixels]:
    """Image, map and overlay of the card whose upper left corner is here."""
    return [sheet[y : y + SIDE, left : left + SIDE] for left in range(x, x + WIDTH, SIDE + GAP)]


def enlarged(pixels: Pixels) -> Pixels:
    return np.kron(pixels, np.ones((SCALE, SCALE, 1), np.uint8))


def is_ink(pixels: Pixels) -> NDArray[np.bool_]:
    """(H, W) what is not paper."""
    return np.any(pixels != np.array(PAPER), axis=2)


@pytest.mark.parametrize("heading", [HEADING, HEADING[:1], ()], ids=len)
def test_image_map_and_overlay_stand_side_by_side(heading: tuple[str, ...]) -> None:
    card = card_of()
    sheet = opened(sheet_png([card], heading, 0.25))
    top = 2 * GAP + LINE * len(heading)
    image, shown, overlay = panels(sheet, GAP, top)
    assert np.array_equal(image, enlarged(card.pixels))
    assert np.array_equal(shown, enlarged(heatmap(card.cam)))
    alpha = 0.25 * np.kron(card.cam, np.ones((SCALE, SCALE)))[..., None]
    mixed = (1 - alpha) * image.astype(float) + alpha * shown.astype(float)
    assert np.abs(overlay - mixed).max() <= 0.5 + 1e-3
    gaps = sheet[top : top + SIDE, [*range(GAP), *range(GAP + SIDE, 2 * GAP + SIDE)]]
    assert not is_ink(gaps).any()


def test_the_map_hides_nothing_at_0_and_everything_at_1() -> None:
    card, top = card_of(), 2 * GAP + LINE * len(HEADING)
    image, _, overlay = panels(opened(sheet_png([card], HEADING, 0)), GAP, top)
    assert np.array_equal(overlay, image)
    strongest = Card(card.pixels, np.ones_like(card.cam), card.lines)
    image, shown, overlay = panels(opened(sheet_png([strongest], HEADING, 1)), GAP, top)
    assert np.array_equal(overlay, shown)
    assert not np.array_equal(overlay, image)


def places_of(sheet: Pixels, cards: list[Card]) -> list[tuple[int, int]]:
    """Where painted cards lie, each whole and unhidden: left, top."""
    codes, found = as_numbers(sheet), []
    for card in cards:
        y, x = np.nonzero(codes == as_numbers(card.pixels)[0, 0])
        assert len(x) == SIDE * SIDE
        assert (np.ptp(x), np.ptp(y)) == (SIDE - 1, SIDE - 1)
        found.append((int(x.min()), int(y.min())))
    return found


def as_numbers(pixels: Pixels) -> NDArray[np.int64]:
    """(H, W) one number for each color."""
    return pixels.astype(np.int64) @ np.array([65536, 256, 1])


def text_of(sheet: Pixels, x: int, y: int, room: int = WIDTH) -> Pixels:
    """What is written below the card at this place."""
    return sheet[y + SIDE : y + SIDE + GAP + 2 * LINE, x : x + room]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 48])
def test_cards_lie_apart_in_rows_with_their_own_text(count: int) -> None:
    cards = [painted(number) for number in range(count)]
    sheet = opened(sheet_png(cards, HEADING, 1))
    places = places_of(sheet, cards)
    assert places == sorted(places, key=lambda place: place[::-1])  # as one reads
    lefts, tops = (sorted({place[axis] for place in places}) for axis in (0, 1))
    assert (len(lefts) - 1) * len(tops) < count <= len(lefts) * len(tops)
    assert all(right - left > WIDTH for left, right in pairwise(lefts))
    assert all(below - above > SIDE + 2 * LINE for above, below in pairwise(tops))
    assert sheet.shape[1] >= max(lefts) + WIDTH + GAP
    assert sheet.shape[0] >= max(tops) + SIDE + 2 * LINE + GAP
    for card, (x, y) in zip(cards, places, strict=True):
        alone = opened(sheet_png([card], HEADING, 1))
        expected = text_of(alone, *places_of(alone, [card])[0])
        assert is_ink(expected).any()
        assert np.array_equal(text_of(sheet, x, y), expected)


def test_different_texts_look_different() -> None:
    one, two = painted(1), painted(2)
    sheet = opened(sheet_png([one, two], HEADING, 1))
    first, second = (text_of(sheet, *place) for place in places_of(sheet, [one, two]))
    assert not np.array_equal(first, second)


def test_a_sheet_stays_about_as_wide_as_high() -> None:
    for count in (4, 10, 48):
        height, width, _ = opened(sheet_png([card_of()] * count, HEADING, 0.5)).shape
        assert 0.5 < width / height < 2.2


def test_a_heading_longer_than_the_cards_is_not_cut_off() -> None:
    narrow = opened(sheet_png([card_of()], HEADING, 0.5))
    wide = opened(sheet_png([card_of()], ("a" * 200,), 0.5))
    assert wide.shape[1] > narrow.shape[1]
    ink = np.any(is_ink(wide[: 2 * GAP + LINE]), axis=0)
    assert ink[wide.shape[1] // 2 :].any()
    assert not ink[-GAP // 2 :].any()


def test_the_card_with_most_lines_has_room_for_them() -> None:
    cards = [card_of(0, ("one",)), card_of(1, ("one", "two", "three"))]
    both, alone = (opened(sheet_png(shown, HEADING, 0.5)) for shown in (cards, cards[1:]))
    end = 3 * LINE + 2 * GAP
    assert is_ink(alone[-end:]).sum() > is_ink(alone[-end : -2 * LINE]).sum()
    assert np.array_equal(both[-end:], alone[-end:])


def test_letters_below_the_line_are_whole() -> None:
    sheet = opened(sheet_png([card_of(lines=("gjpqy", "gjpqy"))], ("gjpqy",), 0.5))
    assert not is_ink(sheet[-2:]).any()
    above = is_ink(sheet[: 2 * GAP + LINE])
    first, second = (
        is_ink(text_of(sheet, GAP, 2 * GAP + LINE))[start : start + LINE] for start in (2, 2 + LINE)
    )
    assert first.sum() == second.sum() == above.sum()


@pytest.mark.parametrize(
    "line",
    [LONG[0], *(f"{LONG[1]}{note}" for note in NOTES)],
    ids=["verdict", "sound", "faint", "none"],
)
def test_no_text_is_cut_off_or_reaches_into_the_next_card(line: str) -> None:
    top = 2 * GAP + LINE * 2
    cards = [card_of(seed, ("a verdict", line)) for seed in range(10)]
    roomy = opened(sheet_png(cards[:1], ("a" * 200, ""), 0.5))
    whole = is_ink(text_of(roomy, GAP, top, room=1000))
    needed = int(np.flatnonzero(np.any(whole, axis=0)).max()) + 1
    for shown in (cards[:1], cards):
        sheet = opened(sheet_png(shown, ("", ""), 0.5))
        found = is_ink(text_of(sheet, GAP, top, room=needed + GAP))
        assert np.array_equal(found, whole[:, : found.shape[1]])
        assert found.shape[1] > needed
