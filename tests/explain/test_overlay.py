"""Painting maps: over the image, alone, enlarged, and in which colors."""

from itertools import pairwise

import numpy as np
import pytest

from cifar_core.errors import ConfigError
from cifar_core.explain.overlay import Floats, color_scale, heatmap, overlay


def photo(brightest: int = 255) -> np.ndarray:
    return np.random.default_rng(0).integers(0, brightest + 1, (32, 32, 3), dtype=np.uint8)


def ramp() -> Floats:
    return np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32)


def test_opacity_runs_from_the_image_to_the_map() -> None:
    image, cam = photo(), ramp()
    assert np.array_equal(overlay(image, cam, 0)[::8, ::8], image)
    strongest = np.ones((32, 32), np.float32)
    assert np.array_equal(overlay(image, strongest, 1), heatmap(strongest, 8))


@pytest.mark.parametrize("opacity", [0.3, 0.7, 1.0])
def test_the_image_is_untouched_where_the_map_is_0(opacity: float) -> None:
    image, cam = photo(), ramp()
    assert np.array_equal(overlay(image, 0 * cam, opacity, 1), image)
    share = (opacity * cam)[..., None]  # of the map's color, at each pixel
    by_hand = image * (1 - share) + heatmap(cam) * share
    assert np.abs(overlay(image, cam, opacity, 1) - by_hand).max() <= 0.5 + 1e-3


def test_the_color_scale_is_that_of_the_maps() -> None:
    colors = color_scale(3)
    assert colors[0] == "#000004"  # inferno's ends, from matplotlib's table
    assert colors[2] == "#fcffa4"
    assert colors[1] == "#" + heatmap(np.full((1, 1), 0.5, np.float32)).tobytes().hex()


def test_opacity_moves_every_pixel_steadily_towards_the_map() -> None:
    image, cam = photo(), ramp()
    towards = np.sign(heatmap(cam).astype(int) - image)
    steps = [overlay(image, cam, o, scale=1).astype(int) for o in np.linspace(0, 1, 21)]
    for before, after in pairwise(steps):
        assert ((after - before) * towards >= 0).all()


def test_a_dark_photo_stays_dark_whatever_the_map() -> None:
    dark = photo(brightest=20)
    assert overlay(dark, np.zeros((32, 32), np.float32), 0.5).max() <= 20
    bright_spot = np.zeros((32, 32), np.float32)
    bright_spot[4, 4] = 1
    spotted, plain = overlay(dark, bright_spot, 0.5, 1), overlay(dark, 0 * bright_spot, 0.5, 1)
    spotted[4, 4] = plain[4, 4]
    assert np.array_equal(spotted, plain)


def test_enlarging_keeps_each_value_on_its_pixel() -> None:
    large = heatmap(ramp(), scale=5)
    assert large.shape == (160, 160, 3)
    assert large.dtype == np.uint8
    for row, column in np.ndindex(5, 5):
        assert np.array_equal(large[row::5, column::5], heatmap(ramp()))


def test_colors_grow_lighter_with_the_value() -> None:
    lightness = heatmap(ramp()).reshape(-1, 3) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -1.5).all()  # steps of whole color values
    assert lightness[0] < 5
    assert lightness[-1] > 230
    red, _, blue = heatmap(np.full((1, 1), 0.5, np.float32))[0, 0]
    assert red > blue  # RGB, not OpenCV's order


def test_an_opacity_out_of_bounds_is_refused() -> None:
    for opacity in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            overlay(photo(), ramp(), opacity)
