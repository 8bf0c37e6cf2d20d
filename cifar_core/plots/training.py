"""The curves of trainings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cifar_core.plots.frame import (
    GREY,
    MAX_POINTS,
    RUN_COLOURS,
    SPLIT_COLOURS,
    SPLIT_DASHES,
    finish,
    thin,
)
from cifar_core.records import EpochRecord, Metrics


@dataclass(frozen=True)
class Curve:
    """A run as it is drawn: its name and its records.

    Attributes:
        steps_per_epoch: To place what lies between epochs; 0 if it is not known yet.
        epochs: How many it will have, so that the axis shows what is still to come.
    """

    name: str
    metrics: Metrics
    steps_per_epoch: int = 0
    epochs: int = 0


def curves(runs: Sequence[Curve], quantity: str, *, raw_steps: bool = True) -> go.Figure:
    """Loss or accuracy over the epochs, for one run or several over each other.

    One run: a colour per split, the figures between epochs faint behind. Several: a colour and
    one legend entry per run, dots for train, a line for val, dashes for test.

    Args:
        quantity: "loss" or "acc".
    """
    figure = go.Figure()
    if len(runs) == 1 and raw_steps:
        _add_steps(figure, runs[0], quantity)
    for number, run in enumerate(runs):
        colour = None if len(runs) == 1 else RUN_COLOURS[number % len(RUN_COLOURS)]
        _add_epochs(figure, run, quantity, colour)
    if len(runs) == 1:
        _mark_resumes(figure, runs[0])
    if len(runs) == 1 and quantity == "acc" and (best := runs[0].metrics.best):
        _mark_best(figure, best)
    figure.update_yaxes(tickformat=".0%" if quantity == "acc" else None, rangemode="tozero")
    longest = max((run.epochs for run in runs), default=0)
    if longest:
        whole = max(1, -(-longest // 8))  # whole epochs, about eight marks
        figure.update_xaxes(range=[0, longest * 1.02], tick0=0, dtick=whole)
    name = {"loss": "Loss", "acc": "Accuracy"}[quantity]
    return finish(figure, f"{name} over the epochs")


def _add_epochs(figure: go.Figure, run: Curve, quantity: str, run_colour: str | None) -> None:
    """The splits of one run, in the run's colour if it has one, else each in its own."""
    first = True
    for split in ("val", "test", "train"):
        points = [
            (e.epoch, y) for e in run.metrics.epochs if (y := _of(e, split, quantity)) is not None
        ]
        if not points:
            continue
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=f"{run.name}, {split}" if run_colour else split,
            legendgroup=run.name if run_colour else split,
            showlegend=first or not run_colour,
            mode="lines+markers",
            line={
                "color": run_colour or SPLIT_COLOURS[split],
                "width": 2,
                "dash": SPLIT_DASHES[split] if run_colour else "solid",
            },
            marker={"size": 5},
        )
        first = False


def _of(epoch: EpochRecord, split: str, quantity: str) -> float | None:
    return getattr(epoch, f"{split}_{quantity}")


def _add_steps(figure: go.Figure, run: Curve, quantity: str) -> None:
    """The figures between epochs, at fractions of an epoch; thinned without losing a spike."""
    steps = run.metrics.steps
    if not steps or not run.steps_per_epoch:
        return
    x = np.array([s.step for s in steps]) / run.steps_per_epoch
    y = np.array([getattr(s, quantity) for s in steps])
    keep = thin(y, MAX_POINTS)
    figure.add_scatter(
        x=x[keep],
        y=y[keep],
        name="in between",
        mode="lines",
        line={"color": SPLIT_COLOURS["train"], "width": 1},
        opacity=0.4,
        hoverinfo="skip",
    )


def _mark_resumes(figure: go.Figure, run: Curve) -> None:
    """A dashed line where a run went on from a checkpoint."""
    for resume in run.metrics.resumes if run.steps_per_epoch else ():
        at = resume.step / run.steps_per_epoch
        figure.add_vline(x=at, line={"width": 1, "dash": "dash", "color": GREY})
        figure.add_annotation(
            x=at,
            y=1,
            yref="paper",
            yanchor="bottom",
            text="resumed",
            showarrow=False,
            font={"size": 11, "color": GREY},
        )


def _mark_best(figure: go.Figure, best: EpochRecord) -> None:
    figure.add_vline(x=best.epoch, line={"width": 1, "dash": "dot", "color": GREY})
    figure.add_annotation(
        x=best.epoch,
        y=0,
        yref="paper",
        yanchor="bottom",
        text=f"best {best.val_acc:.2%}",
        showarrow=False,
        xanchor="left" if best.epoch <= 2 else "right",
        font={"size": 11},
    )


def learning_rates(metrics: Metrics) -> go.Figure:
    """The learning rate over the steps."""
    figure = go.Figure()
    keep = thin(np.array([s.lr for s in metrics.steps]), MAX_POINTS)
    figure.add_scatter(
        x=[metrics.steps[i].step for i in keep],
        y=[metrics.steps[i].lr for i in keep],
        mode="lines",
        line={"color": "#8b78d6", "width": 2},
        name="lr",
    )
    return finish(figure, "Learning rate over the steps")
