"""Loss, accuracy and learning rate curves of training runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.plots.references import REFERENCES
from cifar_core.plots.theme import (
    GRAY,
    MAX_POINTS,
    RUN_COLORS,
    SPLIT_COLORS,
    SPLIT_DASHES,
    finish,
    thin,
)
from cifar_core.records.records import EpochRecord, Metrics
from cifar_core.records.steps import Steps
from cifar_core.runs.store import TrainingRun

Axis = Literal["epoch", "step", "time"]


@dataclass(frozen=True)
class Curve:
    """A run to draw: its name and its records.

    Attributes:
        steps_per_epoch: To place steps on the epoch axis; 0 if not known yet.
        epochs: Planned epochs, the length of the axis.
        run_id: Distinguishes runs that had the same name.
    """

    name: str
    metrics: Metrics
    steps_per_epoch: int = 0
    epochs: int = 0
    run_id: str = ""


def run_curve(run: TrainingRun, metrics: Metrics) -> Curve:
    """What to draw of a run."""
    return Curve(run.name, metrics, run.status.steps_per_epoch, run.config.epochs, run.run_id)


@dataclass(frozen=True)
class View:
    """How curves are drawn.

    Attributes:
        axis: Quantity of the x axis.
        smoothing: Of the training curve per step, 0 (none) to below 1; see `smoothed`.
        references: Whether to draw published accuracies.
    """

    axis: Axis = "epoch"
    smoothing: float = 0.0
    references: bool = False


def curves(runs: Sequence[Curve], quantity: str, view: View | None = None) -> go.Figure:
    """Loss or accuracy of one run or several.

    One run: a color per split, the training curve per step faint behind. Several: a color and
    one legend entry per run, dots for train, a line for val, dashes for test.

    Args:
        quantity: "loss" or "acc".
    """
    view, figure = view or View(), go.Figure()
    axis = view.axis
    if len(runs) == 1:
        _add_steps(figure, runs[0], quantity, axis, view.smoothing)
    for number, run in enumerate(runs):
        color = None if len(runs) == 1 else RUN_COLORS[number % len(RUN_COLORS)]
        _add_epochs(figure, run, quantity, color, axis)
    if len(runs) == 1:
        _mark_resumes(figure, runs[0], axis)
    if len(runs) == 1 and quantity == "acc" and (best := runs[0].metrics.best):
        _mark_best(figure, best, axis)
    if view.references and quantity == "acc":
        _add_references(figure)
    figure.update_yaxes(tickformat=".0%" if quantity == "acc" else None, rangemode="tozero")
    longest = max((run.epochs for run in runs), default=0)
    if longest and axis == "epoch":
        whole = max(1, -(-longest // 8))  # whole epochs, about eight marks
        figure.update_xaxes(range=[0, longest * 1.02], tick0=0, dtick=whole)
    name = {"loss": "Loss", "acc": "Accuracy"}[quantity]
    title = {"epoch": "Epoch", "step": "Step", "time": "Minutes"}[axis]
    figure.update_xaxes(title={"text": title, "standoff": 4})
    return finish(figure, name).update_layout(legend={"y": -0.24})


def _place(record: EpochRecord, axis: Axis) -> float:
    """Position of an epoch's end on the x axis."""
    return {"epoch": record.epoch, "step": record.step, "time": record.elapsed_s / 60}[axis]


def _places(steps: Steps, axis: Axis, steps_per_epoch: int) -> NDArray[np.float64]:
    """(N,) float64 positions of step records on the x axis."""
    if axis == "time":
        return steps.column("elapsed_s") / 60
    return steps.column("step") / (steps_per_epoch if axis == "epoch" else 1)


def smoothed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The running mean in which each older value weighs `weight` times less; (N,) float64.

    Source: the smoothing of TensorBoard's scalars, with the start corrected as in Adam
    (Kingma and Ba 2014, arXiv 1412.6980, section 3), so that it begins at the first value.
    """
    from scipy.signal import lfilter

    mean = np.asarray(lfilter([1 - weight], [1, -weight], values))
    return mean / (1 - weight ** np.arange(1, len(values) + 1))


def _add_epochs(
    figure: go.Figure, run: Curve, quantity: str, run_color: str | None, axis: Axis
) -> None:
    """The splits of one run, in the run's color if given, else each in its own."""
    first = True
    for split in ("val", "test", "train"):
        points = [
            (_place(e, axis), y)
            for e in run.metrics.epochs
            if (y := _of(e, split, quantity)) is not None
        ]
        if not points:
            continue
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=f"{escape(run.name, quote=False)}, {split}" if run_color else split,
            legendgroup=run.name if run_color else split,
            showlegend=first or not run_color,
            mode="lines+markers",
            line={
                "color": run_color or SPLIT_COLORS[split],
                "width": 2,
                # Validation and test often lie on each other: one shows between the dashes.
                "dash": SPLIT_DASHES[split] if run_color or split == "test" else "solid",
            },
            marker={"size": 5},
        )
        first = False


def _of(epoch: EpochRecord, split: str, quantity: str) -> float | None:
    return getattr(epoch, f"{split}_{quantity}")


def _add_steps(figure: go.Figure, run: Curve, quantity: str, axis: Axis, smoothing: float) -> None:
    """The training curve per step, downsampled without losing spikes, faint where smoothed."""
    steps = run.metrics.steps
    if not steps or not run.steps_per_epoch:
        return
    x, y = _places(steps, axis, run.steps_per_epoch), steps.column(quantity)
    lines = [("train (per step)", y, 0.4 if smoothing == 0 else 0.15)]
    if smoothing > 0:
        lines.append(("smoothed", smoothed(y, smoothing), 0.8))
    for name, line, opacity in lines:
        indices = thin(line, MAX_POINTS)
        figure.add_scatter(
            x=x[indices],
            y=line[indices],
            name=name,
            mode="lines",
            line={"color": SPLIT_COLORS["train"], "width": 1},
            opacity=opacity,
            hoverinfo="skip",
        )


def _mark_resumes(figure: go.Figure, run: Curve, axis: Axis) -> None:
    """A dashed line where a run was resumed from a checkpoint."""
    for resume in run.metrics.resumes if run.steps_per_epoch else ():
        before = run.metrics.steps.until(resume.step).column("elapsed_s").tolist()
        ends = [e.elapsed_s for e in run.metrics.epochs if e.step <= resume.step]
        at = {
            "epoch": resume.step / run.steps_per_epoch,
            "step": float(resume.step),
            "time": max([0.0, *before[-1:], *ends[-1:]]) / 60,
        }[axis]
        figure.add_vline(x=at, line={"width": 1, "dash": "dash", "color": GRAY})
        figure.add_annotation(
            x=at,
            y=1,
            yref="paper",
            yanchor="bottom",
            text="resumed",
            showarrow=False,
            font={"size": 11, "color": GRAY},
        )


def _mark_best(figure: go.Figure, best: EpochRecord, axis: Axis) -> None:
    at = _place(best, axis)
    figure.add_vline(x=at, line={"width": 1, "dash": "dot", "color": GRAY})
    figure.add_annotation(
        x=at,
        y=0,
        yref="paper",
        yanchor="bottom",
        text=f"best {best.val_acc:.2%}",
        showarrow=False,
        xanchor="left" if best.epoch <= 2 else "right",
        font={"size": 11},
    )


def _add_references(figure: go.Figure) -> None:
    """Reference lines; close together, so their values are set side by side."""
    places = ("bottom left", "bottom", "bottom right")
    for reference, place in zip(REFERENCES, places, strict=True):
        figure.add_hline(
            y=reference.acc,
            line={"width": 1, "dash": "dot", "color": GRAY},
            annotation={
                "text": f"{reference.acc:.2%}",
                "font": {"size": 10, "color": GRAY},
            },
            annotation_position=place,
        )


def learning_rates(metrics: Metrics) -> go.Figure:
    """The learning rate per step."""
    figure = go.Figure()
    step, lr = metrics.steps.column("step"), metrics.steps.column("lr")
    indices = thin(lr, MAX_POINTS)
    figure.add_scatter(
        x=step[indices],
        y=lr[indices],
        mode="lines",
        line={"color": "#8b78d6", "width": 2},
        name="lr",
    )
    return finish(figure.update_xaxes(title="Step"), "Learning rate")
