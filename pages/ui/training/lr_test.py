"""An LR test as it is now: state, curve, and the suggestion once it has ended."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cifar_core import plots
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.jobs.queue import queue_position
from cifar_core.lr_finder.curve import LRCurve, curve_of
from cifar_core.lr_finder.range_test import explain_ending
from cifar_core.lr_finder.suggest import Suggestion, disagreement, suggest_all
from cifar_core.records.records import LRPoint
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import Run, read_run
from cifar_core.validation import validated
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.session import cache
from pages.ui.session.state import draft
from pages.ui.training.form import fill_draft
from pages.ui.training.lr_handoff import use_lr

OWN = "my own"


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
    find = validated(LRTestConfig, run.request["find"])
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
        steps = find.num_steps * find.num_seeds
        text = f"{waiting} before it" if waiting else f"{len(points)} of {steps} steps"
        st.progress(len(points) / steps, text=text)
        if points:
            _plot(run, points, curve_of(points, running=True), find)
    else:
        _result(run, points, find)


def _plot(
    run: Run,
    points: Sequence[LRPoint],
    curve: LRCurve,
    find: LRTestConfig,
    found: Sequence[Suggestion] = (),
    own: float | None = None,
) -> float | None:
    """The curve; returns the learning rate of the point that was clicked, if one was."""
    figure = plots.lr_test(points, curve, found, (find.start_lr, find.end_lr), own)
    key, alt = f"lr-{run.run_id}", "Loss over learning rate"
    if run.state.is_active:
        st.plotly_chart(figure, key=key, config=PLOT, alt=alt)
        return None
    event = st.plotly_chart(
        figure, key=key, config=PLOT, alt=alt, on_select="rerun", selection_mode="points"
    )
    clicked = event["selection"]["points"]
    return float(clicked[0]["x"]) if clicked else None


def _result(run: Run, points: Sequence[LRPoint], find: LRTestConfig) -> None:
    """Why the test ended, what the rules say, and the way into the training form."""
    curve = curve_of(points)
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        if points:
            _plot(run, points, curve, find)
        st.error(run.reason, icon=":material/error:")
        st.code(log_tail(run.path) or "The log is empty.", language=None)
        return
    found = suggest_all(curve, find.diverge_factor)
    every = np.geomspace(find.start_lr, find.end_lr, 121)
    rates = list(dict.fromkeys(rounded(lr) for lr in every))  # a narrow range has fewer
    rule_key, own_key = f"rule-{run.run_id}", f"own-{run.run_id}"
    own = None
    if st.session_state.get(rule_key) == OWN or not found:
        middle = float(np.sqrt(find.start_lr * find.end_lr))
        own = st.session_state.setdefault(
            own_key, _nearest(rates, found[0].lr if found else middle)
        )
    clicked = _plot(run, points, curve, find, found, own) if points else None
    if clicked and st.session_state.get(f"clicked-{run.run_id}") != clicked:
        st.session_state[f"clicked-{run.run_id}"] = clicked
        st.session_state[own_key], st.session_state[rule_key] = _nearest(rates, clicked), OWN
        st.rerun()  # so that the mark on the curve is there, too
    st.caption(explain_ending(str(run.status.get("ending", run.state)), points, find))
    if not found:
        st.info("The curve supports no suggestion. Try another range, or more steps.")
    _choose(run, found, rates)


def _choose(run: Run, found: Sequence[Suggestion], rates: list[float]) -> None:
    """One of the rules' values or one's own, and the button that takes it along."""
    if found:
        st.markdown(f"**Suggested: {rounded(found[0].lr):g}.** {found[0].reason}")
        st.caption(disagreement(found))
    offered = {one.rule: rounded(one.lr) for one in found}
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        rule = st.pills(
            "Learning rate",
            [*offered, OWN],
            default=next(iter(offered), OWN),
            required=True,
            wrap=True,
            format_func=lambda name: f"{name}: {offered[name]:g}" if name in offered else name,
            key=f"rule-{run.run_id}",
            help="\n".join(f"- {one.rule}: {one.reason}" for one in found) or None,
        )
        lr = offered.get(rule) or st.select_slider(
            "Or click the curve", rates, key=f"own-{run.run_id}", width=260
        )
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            fill_draft()
            use_lr(run, lr, rule)
            st.switch_page("pages/train.py")
        if draft().get("schedule") == "onecycle":
            st.caption("With OneCycle it is the maximum.")


def _nearest(rates: list[float], lr: float) -> float:
    return min(rates, key=lambda rate: abs(np.log(rate) - np.log(lr)))


def rounded(lr: float) -> float:
    """To three digits, as people would type it."""
    return float(f"{lr:.3g}")
