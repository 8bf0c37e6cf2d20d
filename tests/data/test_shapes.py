"""Shapes-10: reproducible, balanced, visible, and true to its masks."""

import hashlib

import numpy as np
import pytest
from numpy.random import Generator

from cifar_core.data import shapes
from cifar_core.data.shapes import SHAPES, SHAPES_VERSION, ShapeImages, draw_shapes

# SHA-256 of the images of draw_shapes(300, seed=0), per version.
RECORDED = {2: "22aa834b6e58a5c7a8380c5621b98ed41fb5de854a2eeeec1e7460d56841fa94"}


@pytest.fixture(scope="module")
def drawn() -> ShapeImages:
    return draw_shapes(2000, seed=10)


@pytest.fixture(scope="module")
def whole() -> ShapeImages:
    """The images of `drawn` without what lies in front of the objects."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_in_front", uncovered)
        return draw_shapes(2000, seed=10)


def uncovered(_figure_at: np.ndarray, front_at: np.ndarray) -> np.ndarray:
    return np.full_like(front_at, 99)


def silhouettes(patch: pytest.MonkeyPatch, **bright: float) -> ShapeImages:
    """The scene in black, but for `figure` or `front`; white where these fill half a pixel."""

    def surfaces(num: int, _rng: Generator) -> tuple[np.ndarray, ...]:
        tints = np.zeros((4, 3, num, 1, 1), np.float32)
        tints[3] = bright.get("front", 0)
        ground = np.zeros((3, num, 32, 32), np.float32)
        return ground, ground + np.float32(bright.get("figure", 0)), tints

    def photographed(pixels: np.ndarray, _rng: Generator) -> np.ndarray:
        return np.where(pixels > 0.5e6, 255, 0).astype(np.uint8).transpose(1, 2, 3, 0)

    patch.setattr(shapes, "surfaces", surfaces)
    patch.setattr(shapes, "_photographed", photographed)
    return draw_shapes(2000, seed=10)


def colors(drawn: ShapeImages) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) mean colors of the objects and of their backgrounds."""
    pairs = zip(drawn.images.astype(float), drawn.masks, strict=True)
    means = [(image[mask].mean(axis=0), image[~mask].mean(axis=0)) for image, mask in pairs]
    return np.array([m[0] for m in means]), np.array([m[1] for m in means])


def outline_features(masks: np.ndarray) -> np.ndarray:
    """(N, 9) sorted radii quantiles, area and edge: blind to place, size and rotation."""
    rows = []
    for mask in masks:
        y, x = np.nonzero(mask)
        radius = np.hypot(x - x.mean(), y - y.mean())
        edge = (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()
        quantiles = np.quantile(radius, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) / np.sqrt(len(x))
        spread = np.linalg.eigvalsh(np.cov(x, y))
        rows.append([*quantiles, edge / np.sqrt(len(x)) / 4, np.sqrt(spread[0] / spread[1])])
    return np.array(rows)


def test_forms(drawn: ShapeImages) -> None:
    assert drawn.images.shape == (2000, 32, 32, 3)
    assert drawn.images.dtype == np.uint8
    assert drawn.labels.shape == (2000,)
    assert drawn.labels.dtype == np.uint8
    assert drawn.masks.shape == (2000, 32, 32)
    assert drawn.masks.dtype == np.bool_
    assert len(SHAPES) == len(set(SHAPES)) == 10


def test_same_arguments_same_bytes() -> None:
    first, second = draw_shapes(300, seed=3), draw_shapes(300, seed=3)
    assert (first.images == second.images).all()
    assert (first.labels == second.labels).all()
    assert (first.masks == second.masks).all()


def test_pixels_changed_only_with_the_version() -> None:
    images = draw_shapes(300, seed=0).images
    assert hashlib.sha256(images.tobytes()).hexdigest() == RECORDED[SHAPES_VERSION]


@pytest.mark.parametrize("num_images", [0, 1, 10, 257, 513])
def test_classes_are_balanced_and_shuffled(num_images: int) -> None:
    drawn = draw_shapes(num_images, seed=1)
    counts = np.bincount(drawn.labels, minlength=10)
    assert len(drawn.images) == len(drawn.masks) == counts.sum() == num_images
    assert counts.max() - counts.min() <= 1
    assert num_images < 20 or (np.diff(drawn.labels.astype(int)) < 0).sum() > num_images / 4


def test_train_and_test_share_no_image(drawn: ShapeImages) -> None:
    other = draw_shapes(2000, seed=11)
    assert (drawn.labels != other.labels).any()
    unique = {image.tobytes() for image in (*drawn.images, *other.images)}
    assert len(unique) == 4000


def test_objects_lie_inside_with_a_plausible_area(drawn: ShapeImages) -> None:
    masks = drawn.masks
    border = np.ones((32, 32), bool)
    border[1:-1, 1:-1] = False
    assert not masks[:, border].any()
    area = masks.sum(axis=(1, 2))
    assert area.min() >= 35
    assert area.max() <= np.pi * 12.5**2
    assert 110 < np.median(area) < 250


def test_masks_are_the_visible_pixels_of_the_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    front = silhouettes(monkeypatch, front=1e6)
    visible, covering = front.masks, front.images[..., 0] > 0
    monkeypatch.setattr(shapes, "_in_front", uncovered)
    figure = silhouettes(monkeypatch, figure=1e6)
    assert (figure.masks == (figure.images[..., 0] > 0)).all()
    assert (visible == (figure.masks & ~covering)).all()


def test_what_lies_in_front_hides_a_quarter_at_most(drawn: ShapeImages, whole: ShapeImages) -> None:
    assert not (drawn.masks & ~whole.masks).any()
    hidden = 1 - drawn.masks.sum(axis=(1, 2)) / whole.masks.sum(axis=(1, 2))
    assert hidden.max() <= 0.25
    assert 0.1 < (hidden > 0.05).mean() < 0.4
    changed = (drawn.images != whole.images).any(axis=3)
    assert changed[whole.masks & ~drawn.masks].mean() > 0.99


def test_circles_are_discs_and_rings_have_a_hole(whole: ShapeImages) -> None:
    for mask in whole.masks[whole.labels == SHAPES.index("circle")]:
        y, x = np.nonzero(mask)
        reach = np.hypot(x - x.mean(), y - y.mean()).max()
        assert reach == pytest.approx(np.sqrt(len(x) / np.pi), abs=0.8)
    for mask in whole.masks[whole.labels == SHAPES.index("ring")]:
        y, x = np.nonzero(mask)
        assert not mask[round(y.mean()), round(x.mean())]


def test_objects_stand_out_and_are_where_the_mask_is(drawn: ShapeImages) -> None:
    figure, ground = colors(drawn)
    luminance = (figure - ground) @ [0.2126, 0.7152, 0.0722]  # weights: ITU-R BT.709
    assert np.abs(figure - ground).max(axis=1).min() > 40
    assert np.quantile(np.abs(luminance), 0.01) > 30
    assert 0.3 < (luminance > 0).mean() < 0.7  # neither light nor dark gives the object away


def test_color_says_nothing_about_the_class(drawn: ShapeImages) -> None:
    figure, _ = colors(drawn)
    means = np.array([figure[drawn.labels == label].mean(axis=0) for label in range(10)])
    assert np.ptp(means, axis=0).max() < 40


def test_outlines_tell_the_classes_apart(whole: ShapeImages) -> None:
    features = outline_features(whole.masks)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    known, asked = features[:1500], features[1500:]
    distance = ((asked[:, None] - known[None]) ** 2).sum(axis=2)
    found = whole.labels[:1500][distance.argmin(axis=1)]
    hits = found == whole.labels[1500:]
    assert hits.mean() > 0.9
    for label, name in enumerate(SHAPES):
        assert hits[whole.labels[1500:] == label].mean() > 0.7, name
