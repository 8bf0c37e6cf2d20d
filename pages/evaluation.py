"""Evaluation: metrics of a trained model, now and over its epochs, and its feature space."""

import streamlit as st

from pages.ui.components import parts
from pages.ui.evaluation.checkpoint_picker import Subject, select_split, select_subject
from pages.ui.evaluation.embedding import embedding
from pages.ui.evaluation.epochs import epochs
from pages.ui.evaluation.predictions import predictions_of
from pages.ui.evaluation.report import report_button
from pages.ui.evaluation.summary import summary
from pages.ui.session import url
from pages.ui.session.boot import boot

boot(__file__)

VIEWS = {"now": "Checkpoint", "epochs": "Over epochs", "embedding": "Embedding"}


def links(subject: Subject, query: dict[str, str]) -> None:
    """Links to the other pages about this checkpoint, and its report."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for page, label, icon in (
            ("gallery", "Browse errors", "photo_library"),
            ("compare", "Compare", "compare"),
            ("train", "Open run", "show_chart"),
        ):
            params = {"run": subject.run.run_id} if page == "train" else query
            icon = f":material/{icon}:"
            st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=params)
        report_button(subject)


parts.heading("Evaluation", "Accuracy, per-class metrics and the most confused classes")
over_epochs = st.query_params.get("view") == "epochs"
subject = select_subject("split", whole_run=over_epochs)
parts.name_tab(subject.run.name, "Evaluation")
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = url.select("View", "view", list(VIEWS), "now", shown=VIEWS.__getitem__, beside=True)
    split = "test" if view == "epochs" else select_split(subject, flip=True)
query = {**subject.query, "split": split}
predictions = None if view == "epochs" else predictions_of(subject, split)
links(subject, query)
if predictions is None:
    epochs(subject)
elif view == "now":
    summary(subject.run, predictions, query)
else:
    embedding(subject, predictions)
