"""A run over its epochs: confusion matrix, class accuracy, fixed and broken images."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import plots
from cifar_core.data.encode import data_uri
from cifar_core.evaluation.history import History
from pages.ui.components import parts
from pages.ui.components.curves import named_plot
from pages.ui.components.tiles import Tile, tiles
from pages.ui.evaluation.checkpoint_picker import Subject
from pages.ui.evaluation.selections import open_images
from pages.ui.evaluation.summary import NORMALIZE_HELP, matrix_plot
from pages.ui.session import cache_analysis, messages, url
from pages.ui.session.messages import plain

MAX_TILES = 24


def epochs(subject: Subject) -> None:
    """A slider over the epochs and everything that follows it; no inference."""
    with parts.show_errors():
        history = cache_analysis.history(subject.run)
    if history is None:
        messages.info(
            f"{subject.run.name} has no saved predictions per epoch. New runs save their test "
            "predictions after each epoch; train one to see them.",
            icon=":material/history:",
        )
        st.page_link("pages/train.py", label="Train a model", icon=":material/play_circle:")
        return
    numbers = history.epochs.tolist()
    epoch = url.whole("Epoch", "epoch", numbers, numbers[-1])
    _show(subject, history, numbers.index(epoch))


def _show(subject: Subject, history: History, place: int) -> None:
    epoch, num = int(history.epochs[place]), len(history.examples.labels)
    fixed, broken = history.changes(place)
    parts.metrics_row(
        {
            "Accuracy": f"{history.acc[place]:.2%}",
            "Fixed": f"{len(fixed):,}",
            "Broken": f"{len(broken):,}",
            "Correct at least once": f"{history.correct[: place + 1].any(axis=0).mean():.2%}",
        },
        {
            "Fixed": "Wrong after the previous epoch, correct after this one",
            "Broken": "Correct after the previous epoch, wrong after this one",
            "Correct at least once": "Images that were correct after at least one epoch so far",
        },
    )
    gaps = "" if history.is_whole else "; some epochs are missing or damaged"
    st.caption(plain(f"{subject.run.name}: {num:,} test images after epoch {epoch}{gaps}"))
    classes = history.examples.classes
    left, beside = st.columns([3, 2], gap="large")
    with left:
        normalize = url.switch("Normalize by row", "shares", NORMALIZE_HELP)
        figure = plots.confusion(
            history.matrix(place), classes, normalized=normalize, dark=parts.dark()
        )
        _remember_cell(matrix_plot(figure, "confusion-epochs"))
    with beside:
        figure = plots.class_curves(history.epochs, history.per_class_accuracy, classes, epoch)
        st.plotly_chart(
            figure, key="class-curves", config=named_plot("class-curves"), alt="Accuracy per class"
        )
    lists = {"fixed": ("Fixed", fixed), "broken": ("Broken", broken)}
    if cell := _cell(len(classes)):
        name = f"{classes[cell[0]]} predicted as {classes[cell[1]]}"
        lists["cell"] = (name, _in_cell(history, place, *cell))
    _lists(subject, history, place, lists)


def _remember_cell(cell: tuple[int, int] | None) -> None:
    """Puts a clicked cell into the URL, so that it stays while the slider moves."""
    text = f"{cell[0]}-{cell[1]}" if cell else ""
    if text and text != st.query_params.get("cell"):
        st.query_params.update({"cell": text, "list": "cell"})


def _cell(num_classes: int) -> tuple[int, int] | None:
    """The (true, predicted) cell in the URL."""
    true, _, predicted = st.query_params.get("cell", "").partition("-")
    row, column = url.number(true), url.number(predicted)
    if row is None or column is None or max(row, column) >= num_classes:
        return None
    return row, column


def _in_cell(history: History, place: int, true: int, predicted: int) -> NDArray[np.int64]:
    """(M,) rows of the images in a cell, highest loss first."""
    order = np.argsort(-history.losses[place].astype(np.float32), kind="stable")
    in_cell = (history.examples.labels == true) & (history.predicted[place] == predicted)
    return order[in_cell[order]]


def _lists(
    subject: Subject,
    history: History,
    place: int,
    lists: dict[str, tuple[str, NDArray[np.int64]]],
) -> None:
    """The images of one list; a click opens the page of that image."""
    chosen = url.select(
        "Images",
        "list",
        list(lists),
        "fixed",
        shown=lambda key: f"{lists[key][0]} ({len(lists[key][1]):,})",
        beside=True,
    )
    rows = lists[chosen][1]
    if not len(rows):
        st.caption("No images" if place else "No earlier epoch to compare with")
        return
    list_tiles = [_tile(subject, history, place, int(row)) for row in rows[:MAX_TILES]]
    opened, _ = tiles(list_tiles, [], f"changed-{subject.run.run_id}-{chosen}", selectable=False)
    if len(rows) > MAX_TILES:
        order = "highest loss" if chosen == "cell" else "largest change in loss"
        st.caption(f"{MAX_TILES} of {len(rows):,} images, {order} first")
    label = f"Open {parts.count(len(rows), 'image')} in the gallery"
    if st.button(label, icon=":material/photo_library:"):
        open_images(subject, "test", history.examples.indices[rows].tolist(), "loss")
    if opened is not None:
        url.go("pages/image.py", **subject.query, image=str(opened), split="test")


def _tile(subject: Subject, history: History, place: int, row: int) -> Tile:
    examples = history.examples
    names = [examples.classes[k] for k in history.predicted[max(place - 1, 0) : place + 1, row]]
    true, index = examples.classes[examples.labels[row]], int(examples.indices[row])
    return Tile(
        id=index,
        src=data_uri(examples.pixels([row])[0]),
        href="image?" + urlencode({**subject.query, "image": index}),
        lines=(" → ".join(names), f"true: {true}"),
        tip=f"{examples.name(row)}: true {true}, predicted {', then '.join(names)}",
    )
