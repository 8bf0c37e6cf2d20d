"""Per-epoch curves, the embedding and the ROAD ranking: what is drawn equals the numbers."""

import numpy as np

from cifar_core.plots import class_curves, embedding, probability_curves, road_ranking
from tests.plots.test_training import drawn, layout_of, traces

CLASSES = ("ant", "bee", "cat")


def test_every_class_has_a_curve_and_one_epoch_is_marked() -> None:
    accs = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    figure = class_curves(np.array([1, 2]), accs, CLASSES, 2)
    for number, name in enumerate(CLASSES):
        assert list(traces(figure)[name].y) == accs[:, number].tolist(), name
    (line,) = layout_of(figure).shapes
    assert (line.x0, line.x1) == (2, 2)


def test_the_true_class_is_thick_and_improbable_ones_are_faint() -> None:
    probs = np.array([[0.9, 0.08, 0.02], [0.5, 0.45, 0.05]])
    lines = traces(probability_curves(np.array([1, 2]), probs, CLASSES, 1))
    assert list(lines) == ["ant", "bee (true)", "cat"]
    widths = [line.line.width for line in lines.values()]
    assert widths == [2, 4, 1]
    assert [line.showlegend for line in lines.values()] == [True, True, False]


def test_each_point_of_an_embedding_knows_its_row() -> None:
    coordinates, groups = np.arange(8.0).reshape(4, 2), np.array([1, 0, 1, 1])
    names, tips = ["incorrect", "correct"], ["a", "b", "c", "d"]
    figure = embedding(coordinates, groups, names, tips, by_correctness=True)
    wrong, right = drawn(figure)
    assert (wrong.name, right.name) == ("incorrect (1)", "correct (3)")
    assert list(right.customdata) == [0, 2, 3]
    assert list(right.x) == [0, 4, 6]
    assert list(right.text) == ["a", "c", "d"]


def test_the_best_layer_and_method_are_in_bold() -> None:
    scores = np.array([[0.1, 0.2], [0.3, np.nan]])
    heat, texts = drawn(road_ranking(scores, ["layer1", "layer2"], ["A", "B"], dark=False))
    assert heat.z.tolist()[0] == [0.1, 0.2]
    assert list(texts.text)[:3] == ["0.100", "0.200", "<b>0.300</b>"]
