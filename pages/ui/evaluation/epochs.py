"""Over the epochs of a run: matrix, classes, and what became right or wrong, without inference."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.data.encode import data_uri
from cifar_core.evaluation.history import History
from pages.ui.components import parts
from pages.ui.components.curves import PLOT
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.selections import open_images
from pages.ui.evaluation.summary import matrix_plot
from pages.ui.session import cache_analysis, url

MOST_SHOWN = 24


def epochs(subject: Subject) -> None:
    """A slider over the epochs, and what it moves."""
    with parts.sentences():
        history = cache_analysis.history(subject.run)
    if history is None:
        st.info(
            f"{subject.run.name} was trained before the epochs were kept. Runs from now on keep "
            "what they say of the test images after each epoch; train one.",
            icon=":material/history:",
        )
        st.page_link("pages/train.py", label="Train a model", icon=":material/play_circle:")
        return
    known = history.epochs.tolist()
    epoch = url.whole("Epoch", "epoch", known, known[-1])
    _show(subject, history, known.index(epoch))


def _show(subject: Subject, history: History, place: int) -> None:
    epoch, num = int(history.epochs[place]), len(history.examples.labels)
    right, wrong = history.changes(place)
    parts.figures(
        {
            "Accuracy": f"{history.acc[place]:.2%}",
            "Newly right": f"{len(right):,}",
            "Newly wrong": f"{len(wrong):,}",
            "Ever right": f"{history.correct[: place + 1].any(axis=0).mean():.2%}",
        },
        {"Ever right": "Images that were right after at least one epoch so far."},
    )
    gaps = "" if history.is_whole else "; of some epochs nothing was kept, or it is damaged"
    st.caption(f"{subject.run.name}: {num:,} test images after epoch {epoch}{gaps}")
    classes = history.examples.classes
    left, beside = st.columns([3, 2], gap="large")
    with left:
        as_shares = url.switch("Shares of each true class", "shares")
        figure = plots.confusion(
            history.matrix(place), classes, normalised=as_shares, dark=parts.dark()
        )
        _note_cell(matrix_plot(figure, "confusion-epochs"))
    with beside:
        figure = plots.class_curves(history.epochs, history.per_class_accuracy, classes, epoch)
        st.plotly_chart(figure, key="class-curves", config=PLOT, alt="Accuracy per class")
    lists = {"right": ("Newly right", right), "wrong": ("Newly wrong", wrong)}
    if cell := _cell(len(classes)):
        name = f"{classes[cell[0]]} predicted as {classes[cell[1]]}"
        lists["cell"] = (name, _in_cell(history, place, *cell))
    _lists(subject, history, place, lists)


def _note_cell(cell: tuple[int, int] | None) -> None:
    """Puts a cell that was clicked into the URL, so that the slider keeps it."""
    text = f"{cell[0]}-{cell[1]}" if cell else ""
    if text and text != st.query_params.get("cell"):
        st.query_params.update({"cell": text, "list": "cell"})


def _cell(num_classes: int) -> tuple[int, int] | None:
    """The (true, predicted) cell in the URL."""
    true, _, predicted = st.query_params.get("cell", "").partition("-")
    found = url.number(true), url.number(predicted)
    if found[0] is None or found[1] is None or max(found[0], found[1]) >= num_classes:
        return None
    return found[0], found[1]


def _in_cell(history: History, place: int, true: int, predicted: int) -> NDArray[np.int64]:
    """The rows of a cell, the highest loss first."""
    order = np.argsort(-history.losses[place].astype(np.float32), kind="stable")
    chosen = (history.examples.labels == true) & (history.predicted[place] == predicted)
    return order[chosen[order]]


def _lists(
    subject: Subject,
    history: History,
    place: int,
    lists: dict[str, tuple[str, NDArray[np.int64]]],
) -> None:
    """The images of one list; a click opens the image's own page."""
    chosen = url.select(
        "Images",
        "list",
        list(lists),
        "right",
        shown=lambda key: f"{lists[key][0]} ({len(lists[key][1]):,})",
        beside=True,
    )
    rows = lists[chosen][1]
    if not len(rows):
        st.caption("None." if place else "There is nothing before this epoch to compare with.")
        return
    drawn = [_tile(subject, history, place, int(row)) for row in rows[:MOST_SHOWN]]
    opened, _ = tiles(drawn, [], f"changed-{subject.run.run_id}-{chosen}", pickable=False)
    if len(rows) > MOST_SHOWN:
        first = "highest loss" if chosen == "cell" else "those whose loss changed most"
        st.caption(f"{MOST_SHOWN} of {len(rows):,}, {first} first.")
    if st.button(f"All {len(rows):,} in the gallery", icon=":material/photo_library:"):
        open_images(subject, "test", history.examples.indices[rows].tolist(), "loss")
    if opened is not None:
        url.go("pages/image.py", **subject.query, image=str(opened), split="test")


def _tile(subject: Subject, history: History, place: int, row: int) -> Tile:
    examples = history.examples
    said = [examples.classes[k] for k in history.predicted[max(place - 1, 0) : place + 1, row]]
    true, index = examples.classes[examples.labels[row]], int(examples.indices[row])
    return Tile(
        id=index,
        src=data_uri(examples.pixels([row])[0]),
        href="image?" + urlencode({**subject.query, "image": index}),
        lines=(" → ".join(said), f"is {true}"),
        tip=f"{examples.name(row)}: {true}, predicted {', then '.join(said)}",
    )
