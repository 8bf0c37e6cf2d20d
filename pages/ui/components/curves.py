"""Curves of one or several runs: axis, smoothing, other runs to compare, CSV download."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from cifar_core import plots
from cifar_core.records.csv import records_csv
from cifar_core.records.records import Metrics
from cifar_core.runs.store import TrainingRun
from pages.ui.session import cache, messages
from pages.ui.session.messages import plain

PLOT: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "toImageButtonOptions": {"format": "png", "scale": 2},
}
AXES = {"epoch": "Epoch", "step": "Step", "time": "Minutes"}
QUANTITIES = {"loss": "Loss", "acc": "Accuracy"}


@dataclass(frozen=True)
class CurveOptions:
    """How to draw the curves of a run, and other runs to draw with it."""

    view: plots.View
    others: list[TrainingRun]


def curve_options(run: TrainingRun) -> CurveOptions:
    """The options' widgets; drawn outside the part that refreshes, since they list all runs."""
    with st.popover("Chart options", icon=":material/tune:"):
        return CurveOptions(choose_view(run.run_id, [run], smoothing=True), _others(run))


def draw_curves(run: TrainingRun, metrics: Metrics, options: CurveOptions) -> None:
    """Loss, accuracy and learning rate of a run, with other runs, resume points and a download."""
    others = [plots.run_curve(other, cache.metrics_of(other.path)) for other in options.others]
    draw_pair([plots.run_curve(run, metrics), *others], options.view)
    for resume in metrics.resumes:
        st.caption(f":material/resume: Resumed after step {resume.step:,}. {plain(resume.note)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV",
            lambda: records_csv(metrics),
            file_name=f"{run.name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"csv-{run.run_id}",
            help="All logged metrics. To save a chart as PNG, use the camera icon above it.",
            on_click="ignore",
        )
    if metrics.steps:
        with st.expander("Learning rate", icon=":material/show_chart:"):
            figure = cache.lr_figure(run.run_id, metrics)
            name = f"{run.run_id}-lr"
            st.plotly_chart(figure, key=name, config=named_plot(name), alt="Learning rate")


def compare_curves(runs: Sequence[TrainingRun]) -> None:
    """The epochs of several runs on shared axes."""
    curves = [plots.run_curve(run, cache.metrics_of(run.path)) for run in runs if run.config]
    if not any(curve.metrics.epochs for curve in curves):
        messages.info("Curves appear once one of these runs has finished an epoch.")
        return
    draw_pair(curves, choose_view("compare", runs))


def draw_pair(curves: Sequence[plots.Curve], view: plots.View) -> None:
    """Loss and accuracy side by side."""
    for column, (quantity, label) in zip(st.columns(2), QUANTITIES.items(), strict=True):
        figure = cache.figure(tuple(curves), quantity, view)
        name = f"{curves[0].run_id}-{quantity}"
        alt = f"{label} vs. {AXES[view.axis].lower()}"
        column.plotly_chart(figure, key=name, config=named_plot(name), alt=alt)
    if len(curves) > 1:
        st.caption("Solid: validation. Dashed: test. Dotted: train.")


def named_plot(name: str) -> dict[str, Any]:
    """Plotly settings with a file name for the PNG."""
    return {**PLOT, "toImageButtonOptions": {**PLOT["toImageButtonOptions"], "filename": name}}


def choose_view(key: str, runs: Sequence[TrainingRun], smoothing: bool = False) -> plots.View:
    """Widgets for the x axis, the smoothing of per-step values, and published results."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control(
            "X axis",
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
            "Published results", key=f"references-{key}", help=_reference_list(), width="content"
        )
    return plots.View(cast(plots.Axis, axis), weight, references)


def _reference_list() -> str:
    lines = [f"- {r.acc:.2%}: {r.label} ({r.source})" for r in plots.REFERENCES]
    return "\n".join(["Published test accuracy on CIFAR-10:", *lines])


def _others(run: TrainingRun) -> list[TrainingRun]:
    """The other runs to draw with one."""
    known = {r.run_id: r for r in cache.listing().runs() if r.run_id != run.run_id and r.config}
    if not known:
        return []
    run_ids = st.multiselect(
        "Compare with",
        list(known),
        format_func=lambda run_id: known[run_id].name if run_id in known else run_id,
        key=f"others-{run.run_id}",
        placeholder="Select runs",
        max_selections=7,
    )
    return [known[run_id] for run_id in run_ids if run_id in known]
