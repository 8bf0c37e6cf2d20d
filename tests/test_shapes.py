"""Shapes-10: reproducible, balanced, visible, and true to its masks."""

import hashlib

import numpy as np
import pytest

from cifar_core.data.shapes import SHAPES, SHAPES_VERSION, ShapeImages, draw_shapes

# SHA-256 of the images of draw_shapes(300, seed=0), per version.
RECORDED = {1: "d770ac14dc33863800ae04f9f47554ca1b49c51b7eec48d99a07da6195418472"}


@pytest.fixture(scope="module")
def drawn() -> ShapeImages:
    return draw_shapes(2000, seed=10)


def colours(drawn: ShapeImages) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) mean colours of the objects and of their backgrounds."""
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
    assert area.min() >= 50
    assert area.max() <= np.pi * 12.5**2
    assert 120 < np.median(area) < 250


def test_circles_are_discs_and_rings_have_a_hole(drawn: ShapeImages) -> None:
    for mask in drawn.masks[drawn.labels == SHAPES.index("circle")]:
        y, x = np.nonzero(mask)
        reach = np.hypot(x - x.mean(), y - y.mean()).max()
        assert reach == pytest.approx(np.sqrt(len(x) / np.pi), abs=0.8)
    for mask in drawn.masks[drawn.labels == SHAPES.index("ring")]:
        y, x = np.nonzero(mask)
        assert not mask[round(y.mean()), round(x.mean())]


def test_objects_stand_out_and_are_where_the_mask_is(drawn: ShapeImages) -> None:
    figure, ground = colours(drawn)
    luminance = (figure - ground) @ [0.2126, 0.7152, 0.0722]  # weights: ITU-R BT.709
    assert np.abs(luminance).min() > 40
    assert 0.3 < (luminance > 0).mean() < 0.7  # neither light nor dark gives the object away


def test_colour_says_nothing_about_the_class(drawn: ShapeImages) -> None:
    figure, _ = colours(drawn)
    means = np.array([figure[drawn.labels == label].mean(axis=0) for label in range(10)])
    assert np.ptp(means, axis=0).max() < 40


def test_outlines_tell_the_classes_apart(drawn: ShapeImages) -> None:
    features = outline_features(drawn.masks)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    known, asked = features[:1500], features[1500:]
    distance = ((asked[:, None] - known[None]) ** 2).sum(axis=2)
    found = drawn.labels[:1500][distance.argmin(axis=1)]
    hits = found == drawn.labels[1500:]
    assert hits.mean() > 0.9
    for label, name in enumerate(SHAPES):
        assert hits[drawn.labels[1500:] == label].mean() > 0.7, name
