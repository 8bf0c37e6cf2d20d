"""Curves: what is drawn equals the records; spikes are kept; every figure becomes JSON."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from cifar_core.plots import (
    MAX_POINTS,
    REFERENCES,
    RUN_COLORS,
    SPLIT_COLORS,
    Axis,
    Curve,
    View,
    curves,
    learning_rates,
    smoothed,
)
from cifar_core.records.records import EpochRecord, Metrics, ResumeRecord, StepRecord
from cifar_core.records.steps import Steps


def run_of(name: str, num_epochs: int = 3, *, val: bool = True, offset: float = 0.0) -> Curve:
    """A run of four steps an epoch whose figures are told apart by their tenths."""
    epochs = tuple(
        EpochRecord(
            epoch=n,
            step=4 * n,
            train_loss=1.1 + n + offset,
            train_acc=0.11 * n,
            val_loss=1.2 + n + offset if val else None,
            val_acc=0.12 * n if val else None,
            test_loss=1.3 + n + offset,
            test_acc=0.13 * n,
            lr=0.1,
        )
        for n in range(1, num_epochs + 1)
    )
    steps = tuple(
        StepRecord(1 + s // 4, s, 3.0 - s / 100, s / 100, 0.1 * s, 100.0)
        for s in range(1, 4 * num_epochs + 1)
    )
    return Curve(name, Metrics(steps=Steps(steps), epochs=epochs), steps_per_epoch=4, epochs=5)


def drawn(figure: go.Figure) -> list[Any]:
    """The traces; plotly's classes have no types."""
    return list(figure.data)


def layout_of(figure: go.Figure) -> Any:
    return figure.layout


def traces(figure: go.Figure) -> dict[str, Any]:
    """The traces by their names, all different."""
    lines = {trace.name: trace for trace in drawn(figure)}
    assert len(lines) == len(drawn(figure))
    return lines


def test_one_run_has_a_color_for_each_split_and_its_steps_behind() -> None:
    run = run_of("first")
    for quantity in ("loss", "acc"):
        lines = traces(curves([run], quantity))
        assert set(lines) == {"train", "val", "test", "train (per step)"}
        assert next(iter(lines)) == "train (per step)"  # drawn first, so that it lies behind
        for split, color in SPLIT_COLORS.items():
            expected = [getattr(e, f"{split}_{quantity}") for e in run.metrics.epochs]
            assert list(lines[split].y) == expected, (split, quantity)
            assert list(lines[split].x) == [1, 2, 3]
            assert lines[split].line.color == color
        steps = lines["train (per step)"]
        assert list(steps.x) == [s.step / 4 for s in run.metrics.steps]
        assert list(steps.y) == [getattr(s, quantity) for s in run.metrics.steps], quantity


def test_several_runs_have_a_color_and_one_legend_entry_each() -> None:
    runs = [run_of(f"run {n}", offset=n) for n in range(len(RUN_COLORS))]
    figure = curves(runs, "loss")
    lines = traces(figure)
    assert set(lines) == {f"{run.name}, {split}" for run in runs for split in SPLIT_COLORS}
    by_run = {
        run.name: {t.line.color for t in lines.values() if t.legendgroup == run.name}
        for run in runs
    }
    assert all(len(colors) == 1 for colors in by_run.values())
    assert len(set.union(*by_run.values())) == len(runs)
    assert [t.name for t in drawn(figure) if t.showlegend] == [f"{run.name}, val" for run in runs]
    for run in runs:
        dashes = {lines[f"{run.name}, {split}"].line.dash for split in SPLIT_COLORS}
        assert len(dashes) == 3
        expected = [e.test_loss for e in run.metrics.epochs]
        assert list(lines[f"{run.name}, test"].y) == expected


def test_without_validation_there_is_no_such_curve_but_a_legend_entry() -> None:
    figure = curves([run_of("a", val=False), run_of("b")], "acc")
    assert "a, val" not in traces(figure)
    assert [t.name for t in drawn(figure) if t.showlegend] == ["a, test", "b, val"]


def test_accuracy_has_an_axis_in_percent_and_loss_starts_at_zero() -> None:
    run = run_of("first")
    acc, loss = curves([run], "acc"), curves([run], "loss")
    assert layout_of(acc).yaxis.tickformat == ".0%"
    assert layout_of(loss).yaxis.tickformat is None
    assert layout_of(loss).yaxis.rangemode == "tozero"


def test_the_axis_shows_the_epochs_still_to_come() -> None:
    short, long = run_of("a"), Curve("b", Metrics(), epochs=40)
    low, high = layout_of(curves([short, long], "loss")).xaxis.range
    assert low == 0
    assert high >= 40
    assert layout_of(curves([Curve("c", Metrics())], "loss")).xaxis.range is None


def test_the_best_epoch_of_one_run_is_marked() -> None:
    figure = curves([run_of("first")], "acc")
    (mark,) = layout_of(figure).annotations
    assert (mark.x, mark.text) == (3, "best 36.00%")
    for other in (
        curves([run_of("first")], "loss"),
        curves([run_of("first", val=False)], "acc"),
        curves([run_of("a"), run_of("b")], "acc"),
    ):
        assert not layout_of(other).annotations


def test_runs_without_records_draw_nothing_and_do_no_harm() -> None:
    for runs in ([], [Curve("a", Metrics())], [Curve("a", Metrics()), Curve("b", Metrics(), 4, 5)]):
        for quantity in ("loss", "acc"):
            assert len(drawn(curves(runs, quantity))) == 0


def test_before_the_first_epoch_the_steps_are_there() -> None:
    run = run_of("first")
    begun = Curve("first", Metrics(steps=run.metrics.steps[:2]), steps_per_epoch=4, epochs=5)
    assert set(traces(curves([begun], "loss"))) == {"train (per step)"}
    unknown = Curve("first", begun.metrics)  # nobody knows yet how many steps an epoch has
    assert len(drawn(curves([unknown], "loss"))) == 0


def test_a_long_run_is_thinned_without_losing_its_spike() -> None:
    steps = [StepRecord(1, s, 1.0, 0.5, 0.1, 100.0) for s in range(1, 50_001)]
    steps[31_415] = StepRecord(1, 31_416, 99.0, 0.5, 0.1, 100.0)
    curve = Curve("long", Metrics(steps=Steps(steps)), steps_per_epoch=50_000, epochs=1)
    (trace,) = drawn(curves([curve], "loss"))
    assert len(trace.y) <= MAX_POINTS
    assert max(trace.y) == 99.0
    assert trace.x[list(trace.y).index(99.0)] == 31_416 / 50_000


def test_learning_rates_are_those_of_the_steps() -> None:
    metrics = run_of("first").metrics
    (trace,) = drawn(learning_rates(metrics))
    assert list(trace.x) == [s.step for s in metrics.steps]
    assert list(trace.y) == [s.lr for s in metrics.steps]
    assert len(drawn(learning_rates(Metrics()))[0].x) == 0


def test_every_figure_becomes_json() -> None:
    run = run_of("first")
    figures = [
        curves([run], "loss"),
        curves([run, run_of("second")], "acc"),
        learning_rates(run.metrics),
    ]
    for figure in figures:
        text = figure.to_json()
        assert text is not None
        assert json.loads(text)["layout"]["title"]["text"]


def test_smoothing_is_the_running_mean_without_its_slow_start() -> None:
    values = np.array([4.0, 2.0, 6.0])
    by_hand = [4.0, (0.5 * 0.5 * 4 + 0.5 * 2) / 0.75, (0.125 * 4 + 0.25 * 2 + 0.5 * 6) / 0.875]
    assert smoothed(values, 0.5) == pytest.approx(by_hand)
    assert smoothed(values, 0.0) == pytest.approx(values)
    assert smoothed(np.full(100, 3.0), 0.99) == pytest.approx(np.full(100, 3.0))


def test_curves_run_over_epochs_steps_or_minutes() -> None:
    run = run_of("first")
    timed = tuple(replace(e, elapsed_s=90.0 * e.epoch) for e in run.metrics.epochs)
    resumes = (ResumeRecord(epoch=2, step=4),)
    run = replace(run, metrics=replace(run.metrics, epochs=timed, resumes=resumes))
    places = {"epoch": [1, 2, 3], "step": [4, 8, 12], "time": [1.5, 3, 4.5]}
    marks = {"epoch": 1, "step": 4, "time": 1.5}
    axes: tuple[Axis, ...] = ("epoch", "step", "time")
    for axis in axes:
        figure = curves([run], "acc", View(axis=axis))
        assert list(traces(figure)["test"].x) == places[axis]
        resumed, best = layout_of(figure).shapes
        assert (resumed.x0, best.x0) == (marks[axis], places[axis][-1])
    assert layout_of(curves([run], "acc", View(axis="step"))).xaxis.range is None


def test_smoothing_leaves_the_raw_line_faint_behind() -> None:
    lines = traces(curves([run_of("first")], "loss", View(smoothing=0.9)))
    raw, smooth = lines["train (per step)"], lines["smoothed"]
    assert raw.opacity < smooth.opacity
    assert list(raw.y) == [3.0 - s / 100 for s in range(1, 13)]
    assert list(smooth.y) == pytest.approx(list(smoothed(np.array(raw.y), 0.9)))


def test_published_accuracies_stand_beside_accuracy_alone() -> None:
    run, view = run_of("first"), View(references=True)
    figure = layout_of(curves([run, run_of("second")], "acc", view))
    assert [line.y0 for line in figure.shapes] == [r.acc for r in REFERENCES]
    for said, reference in zip(figure.annotations, REFERENCES, strict=True):
        assert said.text == f"{reference.acc:.2%}"
        assert reference.source
    assert len({said.xanchor for said in figure.annotations}) == len(REFERENCES)
    assert not layout_of(curves([run], "loss", view)).shapes
