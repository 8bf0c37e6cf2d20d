"""Evaluation: accuracy of a checkpoint, by class too; each cell of the matrix is a link."""

from collections.abc import Sequence

import streamlit as st

from cifar_core import plots
from cifar_core.metrics import (
    calibration,
    class_acc,
    class_scores,
    interval,
    most_confused,
    top_acc,
)
from cifar_core.tables import Table
from pages.ui import parts, url
from pages.ui.boot import boot
from pages.ui.curves import PLOT
from pages.ui.subject import Subject, pick_split, pick_subject, table_of

boot(__file__)


def show_figures(table: Table) -> None:
    """The accuracy and what it is of."""
    total, hits = len(table.right), int(table.right.sum())
    low, high = interval(hits, total)
    parts.figures(
        {
            "Accuracy": f"{table.acc:.2%}",
            "Top-2": f"{top_acc(table.log_probs, table.examples.labels, 2):.2%}",
            "Errors": f"{total - hits:,}",
            "Loss": f"{table.losses.mean():.3f}",
        },
        {
            "Accuracy": f"95 % interval, by Wilson: {low:.2%} to {high:.2%}.",
            "Top-2": "The class is among the two most probable.",
            "Loss": "Mean cross-entropy, nats.",
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        sure = f"95 % interval of the accuracy: {low:.1%} to {high:.1%}"
        st.caption(f"{subject.run.name}: {table} · {sure}")
        st.page_link(
            "pages/gallery.py",
            label="All errors",
            icon=":material/photo_library:",
            query_params={**subject.query, "split": split},
        )
        st.page_link(
            "pages/compare.py",
            label="Against another",
            icon=":material/compare:",
            query_params={**subject.query, "split": split},
        )
        st.page_link(
            "pages/train.py",
            label="The run",
            icon=":material/show_chart:",
            query_params={"run": subject.run.run_id},
        )


def show_matrix(table: Table) -> None:
    """The confusion matrix; a click on a cell opens its images."""
    classes = table.examples.classes
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Confusion matrix")
        as_shares = st.toggle("Shares of each true class", key="as_shares")
    st.caption("Click on a cell to see its images.")
    figure = plots.confusion(table.matrix, classes, normalised=as_shares, dark=parts.dark())
    event = st.plotly_chart(
        figure,
        key="confusion",
        config={**PLOT, "displayModeBar": False},
        on_select="rerun",
        selection_mode="points",
        alt="Confusion matrix",
    )
    points = event["selection"]["points"]
    if points:
        true, predicted = points[0]["customdata"]
        to_gallery(classes[true], classes[predicted])


def to_gallery(true: str, predicted: str) -> None:
    """Opens the gallery with the images of a cell."""
    show = "right" if true == predicted else "errors"
    cell = {"true": true, "predicted": predicted, "show": show}
    url.go("pages/gallery.py", **subject.query, split=split, **cell)


def show_pairs(table: Table) -> None:
    """The most frequent confusions."""
    classes = table.examples.classes
    st.subheader("Most confused")
    for true, predicted, count in most_confused(table.matrix, 6):
        cell = {"true": classes[true], "predicted": classes[predicted]}
        st.page_link(
            "pages/gallery.py",
            label=f"{classes[true]} taken for {classes[predicted]}: {count:,}",
            icon=":material/arrow_forward:",
            query_params={**subject.query, "split": split, **cell},
        )


def show_classes(table: Table) -> None:
    """Class by class, and how well the model knows."""
    classes, columns = table.examples.classes, st.columns(3)
    for column, name, figure in zip(
        columns,
        ("Accuracy per class", "Precision, recall, F1", "Calibration"),
        (
            plots.class_accuracies(class_acc(table.matrix), classes),
            plots.class_scores(class_scores(table.matrix), classes),
            plots.reliability(calibration(table.confidence, table.right)),
        ),
        strict=True,
    ):
        column.plotly_chart(figure, key=name, config=PLOT, alt=name)


def pick_cell(classes: Sequence[str]) -> None:
    """The same as a click on the matrix, by two lists."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox("True class", classes, key="cell_true")
        predicted = st.selectbox("Taken for", classes, index=1, key="cell_predicted")
        if st.button("Show its images", icon=":material/photo_library:"):
            to_gallery(true, predicted)


parts.heading(
    "Evaluation", "How often a trained model is right, class by class, and what it mixes up."
)
subject: Subject = pick_subject()
split = pick_split(subject)
found = table_of(subject, split)
show_figures(found)
left, right = st.columns([3, 2], gap="large")
with left:
    show_matrix(found)
    pick_cell(found.examples.classes)
with right:
    show_pairs(found)
show_classes(found)
