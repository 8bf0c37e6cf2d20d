"""An LR test: state, live curve, and its suggestion once it has ended."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cifar_core import plots
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.jobs.queue import queue_position
from cifar_core.lr_finder.curve import LRCurve, curve_of
from cifar_core.lr_finder.range_test import explain_ending
from cifar_core.lr_finder.suggest import Suggestion, disagreement, explain_none, suggest_all
from cifar_core.records.records import LRPoint
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import LRTestRun, read_run
from pages.ui.components import parts
from pages.ui.components.curves import named_plot
from pages.ui.components.stop import stop_button
from pages.ui.session import cache, messages
from pages.ui.session.messages import plain
from pages.ui.session.state import draft
from pages.ui.training.form import fill_draft
from pages.ui.training.lr_handoff import use_lr

CUSTOM = "custom"


def show_test(run: LRTestRun) -> None:
    """Shows a test: live while it runs, then its suggestion."""
    active = run.state.is_active

    def draw() -> None:
        current = read_run(run.path, LRTestRun)
        if active and not current.state.is_active:
            st.rerun()
        _draw_test(current)

    parts.redraw_every(1.0 if active else None, draw)


def _draw_test(run: LRTestRun) -> None:
    """State and settings, then progress and curve, or the result."""
    config, find = run.config, run.lr_test
    points = cache.metrics_of(run.path).points
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.state_badge(run)
        st.caption(
            f"{config.model} on {plain(run.data_title)}, {config.optimizer}, "
            f"batch {config.batch_size}, augmentation `{config.augment.digest[:12]}`, "
            f"{run.created:%Y-%m-%d %H:%M} UTC"
        )
        if run.state.is_active:
            stop_button(run)
    if run.state.is_active:
        steps = find.num_steps * find.num_seeds
        text = f"{len(points):,} of {steps:,} steps"
        if run.state is RunState.QUEUED:
            num_ahead = queue_position(run.path)
            text = f"Queued: {num_ahead} ahead" if num_ahead else "Queued: next"
        st.progress(len(points) / steps, text=text)
        if points:
            _plot(run, points, curve_of(points, running=True), find)
    else:
        _result(run, points, find)


def _plot(
    run: LRTestRun,
    points: Sequence[LRPoint],
    curve: LRCurve,
    find: LRTestConfig,
    suggestions: Sequence[Suggestion] = (),
    custom_lr: float | None = None,
) -> float | None:
    """Draws the curve; returns the learning rate of the clicked point, if any."""
    figure = plots.lr_test(points, curve, suggestions, (find.start_lr, find.end_lr), custom_lr)
    key, alt = f"lr-{run.run_id}", "Loss vs. learning rate"
    if run.state.is_active:
        st.plotly_chart(figure, key=key, config=named_plot(key), alt=alt)
        return None
    event = st.plotly_chart(
        figure, key=key, config=named_plot(key), alt=alt, on_select="rerun", selection_mode="points"
    )
    clicked = event["selection"]["points"]
    return float(clicked[0]["x"]) if clicked else None


def _result(run: LRTestRun, points: Sequence[LRPoint], find: LRTestConfig) -> None:
    """The curve with its suggestions, why the test ended, and the choice of a learning rate."""
    curve = curve_of(points)
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        if points:
            _plot(run, points, curve, find)
        messages.error(run.reason)
        st.code(log_tail(run.path) or "The log is empty.", language=None)
        return
    suggestions = suggest_all(curve, find.diverge_factor)
    grid = np.geomspace(find.start_lr, find.end_lr, 121)
    rates = list(dict.fromkeys(rounded(lr) for lr in grid))  # a narrow range has fewer
    rule_key, custom_key = f"rule-{run.run_id}", f"custom-{run.run_id}"
    custom_lr = None
    if st.session_state.get(rule_key) == CUSTOM or not suggestions:
        middle = float(np.sqrt(find.start_lr * find.end_lr))
        start = suggestions[0].lr if suggestions else middle
        custom_lr = st.session_state.setdefault(custom_key, _nearest(rates, start))
    clicked = _plot(run, points, curve, find, suggestions, custom_lr) if points else None
    if clicked and st.session_state.get(f"clicked-{run.run_id}") != clicked:
        st.session_state[f"clicked-{run.run_id}"] = clicked
        st.session_state[custom_key], st.session_state[rule_key] = _nearest(rates, clicked), CUSTOM
        st.rerun()  # to draw the marker on the curve
    st.caption(explain_ending(run.status.ending or str(run.state), points, find))
    if not suggestions:
        messages.info(explain_none(curve, find.diverge_factor))
    _choose(run, suggestions, rates)


def _choose(run: LRTestRun, suggestions: Sequence[Suggestion], rates: list[float]) -> None:
    """The choice between the suggestions and a custom value, and the button that uses it."""
    if suggestions:
        st.markdown(f"**Suggested: {rounded(suggestions[0].lr):g}.** {suggestions[0].reason}")
        st.caption(disagreement(suggestions))
    lr_of_rule = {suggestion.rule: rounded(suggestion.lr) for suggestion in suggestions}
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        rule = st.pills(
            "Learning rate",
            [*lr_of_rule, CUSTOM],
            default=next(iter(lr_of_rule), CUSTOM),
            required=True,
            wrap=True,
            format_func=lambda name: (
                f"{name}: {lr_of_rule[name]:g}" if name in lr_of_rule else name
            ),
            key=f"rule-{run.run_id}",
            help="\n".join(f"- {s.rule}: {s.reason}" for s in suggestions) or None,
        )
        lr = lr_of_rule.get(rule) or st.select_slider(
            "Custom LR (or click the curve)", rates, key=f"custom-{run.run_id}", width=260
        )
        if st.button("Use in training", type="primary", icon=":material/arrow_forward:"):
            fill_draft()
            use_lr(run, lr, rule)
            st.switch_page("pages/train.py")
        if draft().get("schedule") == "onecycle":
            st.caption("Used as OneCycle's max LR.")


def _nearest(rates: list[float], lr: float) -> float:
    return min(rates, key=lambda rate: abs(np.log(rate) - np.log(lr)))


def rounded(lr: float) -> float:
    """Rounded to three significant digits."""
    return float(f"{lr:.3g}")
