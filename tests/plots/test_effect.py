"""Accuracy per class on augmented images: what is drawn equals the numbers."""

import numpy as np

from cifar_core.plots import class_change, operation_losses
from tests.plots.test_training import drawn


def test_original_and_augmented_stand_in_pairs() -> None:
    original, augmented = np.array([0.9, 0.8]), np.array([0.7, 0.85])
    bars = {bar.name: bar for bar in drawn(class_change(original, augmented, ["ant", "bee"]))}
    assert list(bars["original"].y) == [0.9, 0.8]
    assert list(bars["augmented"].y) == [0.7, 0.85]


def test_a_drop_is_negative_in_percentage_points() -> None:
    drops = np.array([[0.2, -0.05], [np.nan, 0.0]])
    (heat,) = drawn(operation_losses(drops, ["Flip", "Crop"], ["ant", "bee"]))
    assert [list(row) for row in heat.text] == [["-20", "+5"], ["", "+0"]]
    assert (list(heat.x), list(heat.y)) == (["ant", "bee"], ["Flip", "Crop"])
