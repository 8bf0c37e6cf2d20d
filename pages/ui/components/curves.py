"""Curves of one run or several: over what, how smooth, beside what, and how to take them along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from cifar_core import plots
from cifar_core.records.csv import records_csv
from cifar_core.records.records import Metrics
from cifar_core.runs.store import TrainingRun
from pages.ui.session import cache

PLOT: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "toImageButtonOptions": {"format": "png", "scale": 2},
}
AXES = {"epoch": "Epochs", "step": "Steps", "time": "Minutes"}
QUANTITIES = ("loss", "acc")


@dataclass(frozen=True)
class Asked:
    """How somebody wants to see the curves of a run, and the runs to draw behind it."""

    view: plots.View
    others: list[TrainingRun]


def ask(run: TrainingRun) -> Asked:
    """Lets people choose; outside of what refreshes, since it lists all runs."""
    with st.popover("Curves", icon=":material/tune:"):
        return Asked(choose_view(run.run_id, [run], smoothing=True), _others(run))


def draw_curves(run: TrainingRun, metrics: Metrics, asked: Asked) -> None:
    """Loss, accuracy and learning rate of a run, others behind it, resume points, a download."""
    others = [_curve(other, cache.metrics_of(other.path)) for other in asked.others]
    draw_pair([_curve(run, metrics), *others], asked.view)
    for resume in metrics.resumes:
        st.caption(f":material/resume: Resumed after step {resume.step:,}. {resume.note}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV",
            lambda: records_csv(metrics),
            file_name=f"{run.name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"csv-{run.run_id}",
            help="All records. A picture: the camera above a plot.",
            on_click="ignore",
        )
    if metrics.steps:
        with st.expander("Learning rate", icon=":material/show_chart:"):
            figure = cache.lr_figure(run.run_id, metrics)
            st.plotly_chart(figure, key=f"{run.run_id}-lr", config=PLOT, alt="Learning rate")


def compare_curves(runs: Sequence[TrainingRun]) -> None:
    """The epochs of several runs on shared axes."""
    curves = [_curve(run, cache.metrics_of(run.path)) for run in runs if run.config]
    if not any(curve.metrics.epochs for curve in curves):
        st.info("None of these has finished an epoch yet; the curves begin then.")
        return
    draw_pair(curves, choose_view("compare", runs))


def draw_pair(curves: Sequence[plots.Curve], view: plots.View) -> None:
    """Loss and accuracy side by side."""
    for column, quantity in zip(st.columns(2), QUANTITIES, strict=True):
        figure = cache.figure(tuple(curves), quantity, view)
        name = f"{curves[0].run_id}-{quantity}"
        alt = f"{quantity} over {AXES[view.axis].lower()}"
        column.plotly_chart(figure, key=name, config=_named(name), alt=alt)
    if len(curves) > 1:
        st.caption("Solid: validation. Dashed: test. Dotted: train.")


def _curve(run: TrainingRun, metrics: Metrics) -> plots.Curve:
    steps = run.status.steps_per_epoch
    return plots.Curve(run.name, metrics, steps, run.config.epochs, run.run_id)


def _named(name: str) -> dict[str, Any]:
    """The settings of a plot whose picture is saved under a name."""
    return {**PLOT, "toImageButtonOptions": {**PLOT["toImageButtonOptions"], "filename": name}}


def choose_view(key: str, runs: Sequence[TrainingRun], smoothing: bool = False) -> plots.View:
    """What the curves run over, how smooth the figures between epochs are, what to draw beside."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control(
            "Over",
            list(AXES),
            default="epoch",
            required=True,
            format_func=AXES.__getitem__,
            key=f"axis-{key}",
        )
        weight = 0.0
        if smoothing:
            weight = st.slider("Smoothing", 0.0, 0.99, 0.0, key=f"smooth-{key}", width=220)
        references = any(run.data_title.startswith("CIFAR-10") for run in runs) and st.toggle(
            "Published results", key=f"references-{key}", help=_sources(), width="content"
        )
    return plots.View(cast(plots.Axis, axis), weight, references)


def _sources() -> str:
    listed = [f"- {r.acc:.2%}: {r.label} ({r.source})" for r in plots.REFERENCES]
    return "\n".join(["Test accuracy on CIFAR-10:", *listed])


def _others(run: TrainingRun) -> list[TrainingRun]:
    """The runs to draw behind one."""
    known = {r.run_id: r for r in cache.listing().runs() if r.run_id != run.run_id and r.config}
    if not known:
        return []
    chosen = st.multiselect(
        "Beside other runs",
        list(known),
        format_func=lambda run_id: known[run_id].name if run_id in known else run_id,
        key=f"others-{run.run_id}",
        placeholder="Choose runs",
        max_selections=7,
    )
    return [known[run_id] for run_id in chosen if run_id in known]
