"""Which layer and method to trust for a checkpoint: ranked by a job, shown as a table."""

import streamlit as st

from cifar_core import plots
from cifar_core.explain.road import NUM_IMAGES, RANKED, Ranking
from cifar_core.jobs.launch_analysis import jobs_on, launch_road
from pages.ui.components import job, parts
from pages.ui.components.curves import PLOT
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.session import cache, cache_analysis


def which_layer(subject: Subject) -> None:
    """The ranking, or the button for it."""
    st.subheader("Which layer to trust?")
    st.caption(
        f"ROAD takes out of {NUM_IMAGES} test images the pixels that a map calls relevant, then "
        "those that it calls irrelevant. A faithful map makes the first hurt and the second not. "
        "One to three minutes on two cores. "
        "[Source](https://arxiv.org/abs/2202.00449)"
    )
    run, name = subject.run, subject.checkpoint.name
    done = job.offer(
        jobs_on(cache.listing().runs("road"), run, name),
        "Rank layers and methods",
        ":material/leaderboard:",
        lambda: launch_road(cache.root(), run, name),
    )
    if done:
        with parts.sentences():
            _show(cache_analysis.ranking(done.path))


def _show(ranking: Ranking) -> None:
    first = ranking.ranked[0]
    st.markdown(str(ranking))
    figure = plots.road_ranking(ranking.score_matrix(), ranking.layers, RANKED, parts.dark())
    config = {**PLOT, "displayModeBar": False}
    st.plotly_chart(figure, key="road", config=config, alt="ROAD of layers and methods")
    # A link to the page it stands on would leave the address as it is.
    st.button(
        f"Look with {first.method} at {first.layer}",
        icon=":material/center_focus_strong:",
        on_click=st.query_params.update,
        args=({"layer": first.layer, "method": first.method},),
    )
