"""An LR test as it is now: state, curve, and the suggestion once it has ended."""

import streamlit as st

from cifar_core import plots
from cifar_core.fields import validated
from cifar_core.lr_finder import LRFindConfig, explain_ending
from cifar_core.runs import Run, read_run
from cifar_core.states import RunState, log_tail
from cifar_core.suggest import centred, suggest_lr
from cifar_core.turns import queue_position
from pages.ui import cache, parts
from pages.ui.curves import PLOT
from pages.ui.form import fill_draft
from pages.ui.lr import use_lr


def show_test(run: Run) -> None:
    """A test as it is: live while it runs, then its suggestion."""
    active = run.state.is_active

    def draw() -> None:
        now = read_run(run.path)
        if active and not now.state.is_active:
            st.rerun()
        _draw_test(now)

    parts.every(1.0 if active else None, draw)


def _draw_test(run: Run) -> None:
    """State, curve and what follows from it."""
    config = run.config
    assert config is not None
    find = validated(LRFindConfig, run.request["find"])
    points = cache.metrics_of(run.path).points
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.state_badge(run)
        st.caption(
            f"{config.model} on {run.data_title}, {config.optimizer}, "
            f"batch {config.batch_size}, augmentation `{config.augment.digest[:12]}`, "
            f"{run.created:%Y-%m-%d %H:%M} UTC"
        )
        if run.state.is_active:
            icon, key = ":material/stop_circle:", f"stop-{run.run_id}"
            st.button("Stop", icon=icon, key=key, on_click=parts.ask_to_stop, args=(run,))
    if run.state.is_active:
        waiting = run.state is RunState.QUEUED and queue_position(run.path)
        text = f"{waiting} before it" if waiting else f"{len(points)} of {find.num_steps} steps"
        st.progress(len(points) / find.num_steps, text=text)
    found = None if run.state.is_active else suggest_lr(points, find.diverge_factor)
    if points:
        smooth = centred([point.raw for point in points])
        figure = plots.lr_test(points, smooth, found, (find.start_lr, find.end_lr))
        st.plotly_chart(figure, key=f"lr-{run.run_id}", config=PLOT, alt="Loss over learning rate")
    if not run.state.is_active:
        _result(run, find)


def _result(run: Run, find: LRFindConfig) -> None:
    """Why the test ended, the suggestion, and the way into the training form."""
    points = cache.metrics_of(run.path).points
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        st.error(run.reason, icon=":material/error:")
        st.code(log_tail(run.path) or "The log is empty.", language=None)
        return
    st.caption(explain_ending(str(run.status.get("ending", run.state)), points, find))
    found = suggest_lr(points, find.diverge_factor)
    if found is None:
        st.info("The curve supports no suggestion. Try another range, or more steps.")
        return
    lr = float(f"{found.lr:.3g}")
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Suggested: {lr:g}.** {found.reason}")
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            fill_draft()
            use_lr(run, lr)
            st.switch_page("pages/train.py")
