"""The confusion matrix and the bars: what is drawn equals the numbers."""

import itertools
import json
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from cifar_core.plots import class_accuracies, confusion, top_classes

CLASSES = ("ant", "bee", "cat")
MATRIX = np.array([[8, 1, 1], [0, 1500, 500], [0, 0, 0]])
LETTERS = tuple("abcdefghij")


def drawn(figure: go.Figure) -> list[Any]:
    """The traces; plotly's classes have no types."""
    return list(figure.data)


def layout_of(figure: go.Figure) -> Any:
    return figure.layout


def cells_of(figure: go.Figure) -> Any:
    """The only trace of a confusion matrix."""
    (trace,) = drawn(figure)
    return trace


def shapes_of(figure: go.Figure) -> dict[tuple[int, int], NDArray[np.float64]]:
    """The color at each (true, predicted), from the shapes as they lie."""
    found = {}
    for shape in layout_of(figure).shapes:
        assert shape.layer == "below"
        assert 0.8 < shape.x1 - shape.x0 <= 1
        assert 0.8 < shape.y1 - shape.y0 <= 1
        place = round((shape.y0 + shape.y1) / 2), round((shape.x0 + shape.x1) / 2)
        found[place] = rgb(shape.fillcolor)
    assert len(found) == len(layout_of(figure).shapes)
    return found


def rgb(text: str) -> NDArray[np.float64]:
    """Of "rgb(1,2,3)" or "#010203"."""
    if text.startswith("#"):
        return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], float)
    return np.array(text.removeprefix("rgb(").removesuffix(")").split(","), float)


def luminance(color: NDArray[np.float64]) -> float:
    """Relative luminance of WCAG 2, 0..1."""
    share = color / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_cell_can_be_clicked_and_says_which_it_is() -> None:
    matrix = np.arange(100).reshape(10, 10)
    cells = cells_of(confusion(matrix, LETTERS))
    assert len(cells.customdata) == 100
    assert {tuple(place) for place in cells.customdata} == {
        (t, p) for t in range(10) for p in range(10)
    }
    for (t, p), x, y, text, hover in zip(
        cells.customdata, cells.x, cells.y, cells.text, cells.hovertext, strict=True
    ):
        assert (x, y) == (LETTERS[p], LETTERS[t])
        assert text == f"{10 * t + p}"
        assert hover == f"{LETTERS[t]} predicted as {LETTERS[p]}: {10 * t + p}"
    assert "select" in layout_of(confusion(matrix, LETTERS)).clickmode


def test_counts_and_shares_of_the_true_class() -> None:
    counts = cells_of(confusion(MATRIX, CLASSES))
    assert list(counts.text) == ["8", "1", "1", "0", "1,500", "500", "0", "0", "0"]
    shares = cells_of(confusion(MATRIX, CLASSES, normalized=True))
    assert list(shares.text) == ["80%", "10%", "10%", "0%", "75%", "25%", "0%", "0%", "0%"]
    assert shares.hovertext == counts.hovertext
    assert counts.hovertext[5] == "bee predicted as cat: 500"


@pytest.mark.parametrize("dark", [False, True])
def test_hits_are_green_errors_red_and_what_never_happens_is_the_page(dark: bool) -> None:
    found = shapes_of(confusion(MATRIX, CLASSES, dark=dark))
    assert len(found) == 9
    page = found[2, 2]
    assert luminance(page) < 0.05 if dark else luminance(page) > 0.8
    for place in ((1, 0), (2, 0), (2, 1)):
        assert found[place].tolist() == page.tolist()
    for place in ((0, 0), (1, 1)):
        red, green, _ = found[place] - page
        assert green > red
    for place in ((0, 1), (0, 2), (1, 2)):
        red, green, _ = found[place] - page
        assert red > green
    distance = {place: float(np.abs(color - page).sum()) for place, color in found.items()}
    assert distance[0, 1] == distance[0, 2] < distance[1, 2]  # by share of the class, not count
    assert distance[1, 1] < distance[0, 0]


def test_every_text_is_readable_on_its_cell() -> None:
    for percent, dark in itertools.product(range(101), (False, True)):
        matrix = np.array([[percent, 100 - percent], [50, 50]])
        figure = confusion(matrix, CLASSES[:2], dark=dark)
        cells, colors = cells_of(figure), shapes_of(figure)
        for place, text in zip(cells.customdata, cells.textfont.color, strict=True):
            assert contrast(rgb(text), colors[tuple(place)]) >= 4.5, (percent, dark, place)


def test_rows_are_true_labels_from_the_top_and_columns_predicted_labels() -> None:
    layout = layout_of(confusion(MATRIX, CLASSES))
    assert list(layout.yaxis.range) == [2.5, -0.5]
    assert list(layout.xaxis.range) == [-0.5, 2.5]
    assert (layout.yaxis.title.text, layout.xaxis.title.text) == ("True label", "Predicted label")


def test_without_errors_nothing_is_red() -> None:
    found = shapes_of(confusion(np.diag([5, 3, 2]), CLASSES))
    assert len({tuple(color) for color in found.values()}) == 2


def test_the_best_class_comes_first_ties_in_order_and_empty_ones_last() -> None:
    accs = np.array([0.5, math.nan, 0.9, 0.5, 0.1])
    figure = class_accuracies(accs, LETTERS[:5])
    (bars,) = drawn(figure)
    assert list(bars.y) == ["c", "a", "d", "e", "b"]
    assert list(bars.x) == pytest.approx([0.9, 0.5, 0.5, 0.1, math.nan], nan_ok=True)
    by_name = dict(zip(bars.y, bars.text, strict=True))
    assert by_name == {**by_name, "c": "90.0%", "a": "50.0%", "e": "10.0%"}
    assert "nan" not in by_name["b"]
    assert layout_of(figure).yaxis.autorange == "reversed"
    assert list(layout_of(figure).xaxis.range) == [0, 1]


def test_top_classes_are_drawn_in_the_order_given() -> None:
    (bars,) = drawn(top_classes(["cat", "ant"], np.array([0.8125, 0.1], np.float32)))
    assert (list(bars.y), list(bars.text)) == (["cat", "ant"], ["81.2%", "10.0%"])
    assert list(bars.x) == pytest.approx([0.8125, 0.1])
    assert bars.orientation == "h"


def test_every_figure_becomes_json() -> None:
    figures = [
        confusion(MATRIX, CLASSES, normalized=True, dark=True),
        class_accuracies(np.array([0.5, math.nan]), CLASSES[:2]),
        top_classes(CLASSES[:2], np.array([0.5, 0.5], np.float32)),
    ]
    for figure in figures:
        text = figure.to_json()
        assert text is not None
        assert "NaN" not in text
        assert json.loads(text)["data"]
