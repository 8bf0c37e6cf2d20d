"""Images with their predictions as tiles, and those that a run got most confidently wrong."""

import contextlib
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data.encode import data_uri
from cifar_core.errors import CifarCoreError
from cifar_core.evaluation.available import available_file
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.runs.store import TrainingRun
from pages.ui.components.tiles import Tile, tiles
from pages.ui.session import cache_analysis
from pages.ui.session.messages import plain

NUM_ERRORS = 7  # a row on a desktop


def image_tile(
    predictions: Predictions, row: int, query: dict[str, str], issue: bool = False
) -> Tile:
    """One image with its predicted and true class; leads to its Grad-CAM.

    Args:
        query: URL parameters of checkpoint and split.
        issue: Whether its label may be wrong.
    """
    predicted = predictions.examples.classes[predictions.predicted[row]]
    confidence, loss = f"{predictions.confidence[row]:.0%}", f"{predictions.losses[row]:.2f}"
    about = f"predicted {predicted} ({confidence}), loss {loss}"
    about += ", possible label error" if issue else ""
    tile = labelled_tile(predictions.examples, row, f"{predicted} {confidence}", about, query)
    return replace(tile, lines=(tile.lines[0], f"{tile.lines[1]}{'?' if issue else ''}"))


def labelled_tile(
    examples: EvalSplit,
    row: int,
    line: str,
    about: str,
    query: dict[str, str],
    page: str = "gradcam",
    name: str = "images",
) -> Tile:
    """An image with a line and its true class below; the tip has its name and more.

    Args:
        about: What the tip says after the true class.
        query: URL parameters of the link, to which the index is added as `name`.
    """
    index, true = int(examples.indices[row]), examples.classes[examples.labels[row]]
    return Tile(
        id=index,
        src=data_uri(examples.pixels([row])[0]),
        href=f"{page}?" + urlencode({**query, name: index}),
        lines=(line, f"true: {true}"),
        tip=f"{examples.name(row)}: true {true}, {about}",
    )


def confident_errors(run: TrainingRun) -> None:
    """The test images that a run's best checkpoint was surest of, and wrong; each leads to its map.

    Nothing if its predictions or its images are not here.
    """
    predictions = None
    with contextlib.suppress(CifarCoreError):
        checkpoint = find_checkpoint(run.path, "best")
        if available_file(run, checkpoint):
            predictions = cache_analysis.predictions(run, checkpoint, "test")
    rows = most_confident_errors(predictions, NUM_ERRORS) if predictions else []
    if not predictions or not rows:
        return
    query = {"run": run.run_id, "checkpoint": predictions.checkpoint.name, "split": "test"}
    st.subheader("Most confident errors")
    st.caption(plain(f"Click one to see where the network looked. Of {predictions}."))
    shown = [image_tile(predictions, row, query) for row in rows]
    opened, _ = tiles(shown, [], f"errors-{run.run_id}", selectable=False)
    if opened is not None:
        st.switch_page("pages/gradcam.py", query_params={**query, "images": str(opened)})
