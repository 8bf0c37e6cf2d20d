"""Maps of an image for two classes: which classes, on which scale, and what is said of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.explain.pairs import compute_pairs, flat
from tests.builders import manifest_of

CLASSES = ("ant", "bee", "cat")
PEAKS = {0: 0.25, 1: 0.5, 2: 2.0}  # of the map for each class


def predictions() -> Predictions:
    """An ant taken for a bee, and a cat seen as a cat, next as an ant."""
    probs = np.array([[0.3, 0.6, 0.1], [0.2, 0.1, 0.7]])
    images = np.arange(2, dtype=np.uint8)[:, None, None, None] + np.zeros((32, 32, 3), np.uint8)
    examples = EvalSplit("test", CLASSES, "f", images, np.array([0, 2], np.uint8), np.arange(2))
    checkpoint = Checkpoint(Path("best-0000003"), manifest_of())
    note = PredictionsNote.of("run", checkpoint, "test", flip=False)
    return Predictions(np.log(probs).astype(np.float32), examples, checkpoint, note)


def compute(pixels: np.ndarray, targets: Sequence[Target]) -> CamMaps:
    """A map that grows from 0 to the peak of its class."""
    ramp = np.linspace(0, 1, 1024, dtype=np.float32).reshape(1, 32, 32)
    raw = np.concatenate([ramp * PEAKS[int(target)] for target in targets])  # pyright: ignore[reportArgumentType] # no pairs are asked for
    return CamMaps(raw / raw.max(axis=(1, 2), keepdims=True), raw, (4, 4))


def test_an_error_is_shown_for_both_classes_and_a_hit_for_the_next_one() -> None:
    first, second = compute_pairs(predictions(), [0, 1], compute)
    assert (first.true, first.classes) == ("ant", ("bee", "ant"))
    assert (second.true, second.classes) == ("cat", ("cat", "ant"))
    assert first.grid == (4, 4)
    assert [card.lines for card in flat([first])] == [
        ("true ant, predicted bee (60%)", "test 0 · map: bee, peak 0.5"),
        ("true ant, predicted bee (60%)", "test 0 · map: ant, peak 0.25"),
    ]
    assert all((card.pixels == 1).all() for card in second.cards)


def test_two_weak_maps_are_said_to_be_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scaled to full strength, they would look like any other."""
    monkeypatch.setitem(PEAKS, 0, 1e-4)
    (pair,) = compute_pairs(predictions(), [0], compute)
    assert pair.cards[1].lines[1] == "test 0 · map: ant, peak 0.0001"  # beside a strong one
    monkeypatch.setitem(PEAKS, 1, 2e-4)
    (pair,) = compute_pairs(predictions(), [0], compute)
    assert pair.cards[1].lines[1].endswith("peak 0.0001 · too weak: amplified noise")


@pytest.mark.parametrize(
    ("one_scale", "strongest"),
    [(False, [1.0, 0.5, 1.0, 0.125]), (True, [0.25, 0.125, 1.0, 0.125])],
)
def test_maps_can_be_compared_within_an_image_or_between_all(
    one_scale: bool, strongest: list[float]
) -> None:
    pairs = compute_pairs(predictions(), [0, 1], compute, one_scale)
    assert [float(card.cam.max()) for card in flat(pairs)] == pytest.approx(strongest)
