"""ROAD ranking of layers and methods for a checkpoint: run as a job, shown as a table."""

import streamlit as st

from cifar_core import plots
from cifar_core.explain.road import NUM_IMAGES, RANKED, Ranking
from cifar_core.jobs.launch_analysis import jobs_on, launch_road
from cifar_core.runs.store import AnalysisJob
from pages.ui.components import job, parts
from pages.ui.components.curves import PLOT
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import cache
from pages.ui.session.messages import plain


def layer_ranking(subject: Subject) -> None:
    """The ranking, or the button that starts it."""
    st.subheader("Which layer and method to trust?")
    st.caption(
        f"ROAD on {NUM_IMAGES} test images: removing the relevant pixels should lower the score, "
        "removing the irrelevant ones should not. Takes one to three minutes on two cores. "
        "[Source](https://arxiv.org/abs/2202.00449)"
    )
    run, name = subject.run, subject.checkpoint.name
    completed = job.offer(
        jobs_on(cache.listing().runs(AnalysisJob), "road", run, name),
        "Rank layers and methods",
        ":material/leaderboard:",
        lambda: launch_road(cache.root(), run, name),
    )
    if completed:
        with parts.show_errors():
            _show(cache.ranking(completed.path))


def _show(ranking: Ranking) -> None:
    best = ranking.ranked[0]
    st.markdown(plain(ranking))
    figure = plots.road_ranking(ranking.score_matrix(), ranking.layers, RANKED, parts.dark())
    config = {**PLOT, "displayModeBar": False}
    st.plotly_chart(figure, key="road", config=config, alt="ROAD score by layer and method")
    # A link to the same page would not change the URL.
    st.button(
        f"Use {best.method} at {best.layer}",
        icon=":material/center_focus_strong:",
        on_click=st.query_params.update,
        args=({"layer": best.layer, "method": best.method},),
    )
