"""Figures redrawn as PNG: the same numbers, axes and names as on the pages."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from cifar_core.plots import View, confusion, curves, learning_rates, lr_test
from cifar_core.plots.png import as_png, redrawn
from cifar_core.records.records import ResumeRecord
from tests.plots.test_lr import CURVE, POINTS, SMOOTHED, SUGGESTED
from tests.plots.test_training import drawn, run_of


def axes_of(figure: go.Figure) -> Any:
    (axes,) = redrawn({"y": figure}).axes
    return axes


def names_of(axes: Any) -> list[str]:
    return [text.get_text().strip() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("quantity", ["loss", "acc"])
@pytest.mark.parametrize("axis", ["epoch", "step", "time"])
def test_every_line_has_the_points_of_its_trace(quantity: str, axis: Any) -> None:
    figure = curves([run_of("one")], quantity, View(axis, smoothing=0.5))
    axes = axes_of(figure)
    traces = drawn(figure)
    for trace, line in zip(traces, axes.get_lines(), strict=False):
        assert np.array_equal(line.get_xdata(), trace.x), trace.name
        assert np.array_equal(line.get_ydata(), trace.y), trace.name
        assert line.get_color() == trace.line.color
    assert names_of(axes) == [trace.name for trace in traces]
    assert axes.get_xlabel() == {"epoch": "Epoch", "step": "Step", "time": "Minutes"}[axis]
    assert axes.get_ylabel() == "y"


def test_lines_across_a_plot_and_their_notes_are_drawn() -> None:
    one = run_of("one")
    resumed = replace(one.metrics, resumes=(ResumeRecord(2, 4, ""),))
    figure = curves([replace(one, metrics=resumed)], "acc", View(references=True))
    axes = axes_of(figure)
    across = axes.get_lines()[len(drawn(figure)) :]
    places = [line.get_xdata()[0] for line in across[:2]]
    assert places == [1, 3]  # resumed after four steps, which are an epoch; best in the third
    assert [line.get_ydata()[0] for line in across[2:]] == [0.9124, 0.9302, 0.9401]
    notes = ["resumed", "best 36.00%", "91.24%", "93.02%", "94.01%"]
    assert [text.get_text() for text in axes.texts] == notes
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > 0.9401
    assert axes.yaxis.get_major_formatter()(0.25) == "25%"


def test_an_lr_test_keeps_its_log_axis_band_and_marks() -> None:
    curve = replace(CURVE, high=[loss + 1 for loss in SMOOTHED], num_seeds=3)
    figure = lr_test(POINTS, curve, [SUGGESTED], lr_range=(1e-6, 10), own=3e-3)
    axes = axes_of(figure)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == pytest.approx((1e-6, 10))
    assert axes.get_ylim() == pytest.approx(figure.layout.yaxis.range)  # pyright: ignore[reportAttributeAccessIssue] # plotly's classes have no types
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].max() == 91  # the highest of the upper line
    assert names_of(axes) == ["per batch", "median of 3 seeds", "steepest: 0.01"]
    (note,) = axes.texts
    assert note.get_text() == "your LR"
    assert note.get_position()[0] == pytest.approx(3e-3)


def test_a_single_line_needs_no_legend() -> None:
    assert axes_of(learning_rates(run_of("one").metrics)).get_legend() is None


@pytest.mark.parametrize("name", ["a_$x$ & <b>x</b>", "_hidden", "日本"])
def test_names_are_drawn_as_they_are_without_a_warning(name: str) -> None:
    figure = curves([run_of("first"), run_of(name, offset=1)], "loss")
    assert names_of(axes_of(figure)) == ["first, val", f"{name}, val"]
    with Image.open(io.BytesIO(as_png({"Loss": figure, "again": figure}, f"of {name}"))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1920, 660))
        colors = {color for _, color in picture.convert("RGB").getcolors(2**20) or ()}
    assert {(255, 255, 255), (0x4A, 0x90, 0xD9), (0xE0, 0x8A, 0x3C)} <= colors


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="of type bar"):
        as_png({"y": go.Figure(go.Bar(x=[1], y=[1]))})
    with pytest.raises(ValueError, match=r"of mode markers\+text"):
        as_png({"y": confusion(np.eye(3, dtype=np.int64), "abc")})
    figure = learning_rates(run_of("one").metrics).add_shape(type="rect", x0=0, x1=1, y0=0, y1=1)
    with pytest.raises(ValueError, match="of type rect"):
        as_png({"y": figure})
