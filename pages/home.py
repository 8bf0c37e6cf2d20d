"""Home: a trained model and what it got wrong, and the way to one's own."""

import streamlit as st

from cifar_core.report.card import ModelCard
from cifar_core.runs.store import DataJob, TrainingRun
from pages.ui.components import parts
from pages.ui.home.machine import data_card, machine_line
from pages.ui.home.showcase import find_showcase, shipped_cards, showcase
from pages.ui.home.start import running_card, train_now
from pages.ui.session import cache
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain

boot(__file__)
NEWEST = 5


def actions(data: str, query: dict[str, str]) -> None:
    """Train a model, or give this one a picture of one's own.

    Args:
        data: What a model is trained on.
        query: URL parameters of the model that is shown; empty if there is none.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        train_now(data)
        st.page_link("pages/train.py", label="Customize", icon=":material/tune:")
        if query:
            st.page_link(
                "pages/gradcam.py",
                label="Try your own picture",
                icon=":material/upload:",
                query_params={**query, "split": "upload"},
            )
        st.page_link(
            "pages/augmentation.py", label="Preview augmentations", icon=":material/auto_fix_high:"
        )


def newest(runs: list[TrainingRun], cards: dict[str, ModelCard]) -> None:
    """The newest runs, and those that came with the app."""
    st.subheader("Runs")
    own, shipped = [r for r in runs if not r.is_shipped], [r for r in runs if r.is_shipped]
    for run in [*own[:NEWEST], *shipped]:
        with st.container(horizontal=True, vertical_alignment="center"):
            if run.is_shipped:
                parts.shipped_badge()
            else:
                parts.state_badge(run)
            card = cards.get(run.run_id)
            acc = card.test_acc if card else run.best_acc
            label = plain(run.name) if acc is None else f"{plain(run.name)} · {acc:.2%}"
            st.page_link("pages/train.py", label=label, query_params={"run": run.run_id})
    st.page_link("pages/runs.py", label="All runs", icon=":material/stacked_line_chart:")


parts.heading(
    "CIFAR-10 Lab",
    "Train image classifiers, see what they get wrong, and where they looked.",
)
listing = cache.listing()
runs = listing.runs()
cards = shipped_cards(runs)
state, message = cache.cifar10_state()
machine_line(state)
running_card(runs)
shown = find_showcase(listing.trained(), cards)
actions("cifar10" if state == "ready" else "shapes10", shown.query if shown else {})
if shown:
    showcase(shown)
data_card(state, message, listing.runs(DataJob))
if runs:
    newest(runs, cards)
