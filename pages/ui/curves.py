"""The curves of a run: over what, how smooth, and the way to take them along."""

from typing import Any, cast

import streamlit as st

from cifar_core import plots
from cifar_core.export import records_csv
from cifar_core.records import Metrics
from cifar_core.runs import Run

PLOT: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "toImageButtonOptions": {"format": "png", "scale": 2},
}
AXES = {"epoch": "Epochs", "step": "Steps", "time": "Minutes"}


def draw_curves(run: Run, metrics: Metrics) -> None:
    """Loss, accuracy and learning rate, with their settings, resume points and a download."""
    assert run.config is not None
    axis, smoothing = _settings(run)
    steps = run.status.get("steps_per_epoch", 0)
    curve = plots.Curve(run.name, metrics, steps, run.config.epochs)
    for column, quantity in zip(st.columns(2), ("loss", "acc"), strict=True):
        figure = plots.curves([curve], quantity, axis=axis, smoothing=smoothing)
        name, alt = f"{run.run_id}-{quantity}", f"{quantity} over {AXES[axis].lower()}"
        column.plotly_chart(figure, key=name, config=_named(name), alt=alt)
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
            figure = plots.learning_rates(metrics)
            st.plotly_chart(figure, key=f"{run.run_id}-lr", config=PLOT, alt="Learning rate")


def _named(name: str) -> dict[str, Any]:
    """The settings of a plot whose picture is saved under a name."""
    return {**PLOT, "toImageButtonOptions": {**PLOT["toImageButtonOptions"], "filename": name}}


def _settings(run: Run) -> tuple[plots.Axis, float]:
    """What the curves run over, and how smooth the figures between epochs are."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control(
            "Over",
            list(AXES),
            default="epoch",
            required=True,
            format_func=AXES.__getitem__,
            key=f"axis-{run.run_id}",
        )
        smoothing = st.slider("Smoothing", 0.0, 0.99, 0.0, key=f"smooth-{run.run_id}", width=220)
    return cast(plots.Axis, axis), smoothing
