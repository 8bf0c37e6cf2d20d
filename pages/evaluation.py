"""Evaluation: how often a trained model is right: now, over its epochs, and where images lie."""

import streamlit as st

from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject, pick_split, pick_subject
from pages.ui.evaluation.embedding import embedding
from pages.ui.evaluation.epochs import epochs
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.evaluation.report import report_button
from pages.ui.evaluation.summary import summary
from pages.ui.session import url
from pages.ui.session.boot import boot

boot(__file__)

VIEWS = {"now": "This checkpoint", "epochs": "Over the epochs", "places": "Map of the images"}


def ways_on(subject: Subject, query: dict[str, str]) -> None:
    """Links to what else there is to see of it, and its report."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for page, label, icon in (
            ("gallery", "All errors", "photo_library"),
            ("compare", "Against another", "compare"),
            ("train", "The run", "show_chart"),
        ):
            to = {"run": subject.run.run_id} if page == "train" else query
            icon = f":material/{icon}:"
            st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=to)
        report_button(subject)


parts.heading(
    "Evaluation", "How often a trained model is right, class by class, and what it mixes up."
)
over_epochs = st.query_params.get("view") == "epochs"
subject = pick_subject(whole_run=over_epochs)
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = url.select("View", "view", list(VIEWS), "now", shown=VIEWS.__getitem__, beside=True)
    split = "test" if view == "epochs" else pick_split(subject, flip=True)
query = {**subject.query, "split": split}
predictions = None if view == "epochs" else predictions_of(subject, split)
ways_on(subject, query)
if predictions is None:
    epochs(subject)
elif view == "now":
    summary(subject.run, predictions, query)
else:
    embedding(subject, predictions)
