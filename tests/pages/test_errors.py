"""Epochs, one image, embeddings, saved selections, possible label errors: AppTest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.features import pca_projection, read_values, values_path, write_values
from cifar_core.evaluation.history import load_history
from cifar_core.evaluation.label_issues import ABOUT as LABEL_ISSUES
from cifar_core.evaluation.predictions import Predictions, predictions_path
from cifar_core.evaluation.selections import named_selections, save_selection
from cifar_core.evaluation.sorting import HISTORY_SORTS
from cifar_core.explain.comparisons import ABOUT
from cifar_core.jobs.launch_analysis import launch_evaluation
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from tests.apptest import app, button, in_url, opened_again, texts
from tests.real_jobs import rewrite, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


@pytest.fixture
def predictions(evaluated: Path) -> Predictions:
    return load_predictions(read_run(evaluated, TrainingRun))


def opened(page: str, **query: str) -> AppTest:
    at = app(page, run="first", **query)
    assert not at.exception
    return at


def chart(at: AppTest, number: int = 0) -> dict:
    return json.loads(at.get("plotly_chart")[number].proto.spec)


# Over the epochs


def test_the_slider_moves_the_matrix_and_the_lists(evaluated: Path) -> None:
    history = load_history(read_run(evaluated, TrainingRun))
    at = opened("evaluation", view="epochs")
    for epoch, place in ((2, 1), (1, 0)):
        at.select_slider[0].set_value(epoch).run()
        assert not at.exception
        metrics = {m.label: m.value for m in at.metric}
        fixed, broken = history.changes(place)
        assert metrics["Accuracy"] == f"{history.acc[place]:.2%}"
        assert (metrics["Fixed"], metrics["Broken"]) == (f"{len(fixed):,}", f"{len(broken):,}")
        cells = next(t for t in chart(at)["data"] if "customdata" in t)
        matrix = history.matrix(place)
        for (true, predicted), text in zip(cells["customdata"], cells["text"], strict=True):
            assert int(text.replace(",", "")) == matrix[true, predicted]
    assert in_url(at, "epoch") == "1"
    assert "No earlier epoch to compare with" in texts(at)
    opened_again(at, "evaluation", view="epochs", epoch="77")
    assert at.select_slider[0].value == 2
    assert "There is no epoch '77' here" in at.warning[0].value


def test_a_cell_and_a_list_stay_while_the_slider_moves(evaluated: Path) -> None:
    history = load_history(read_run(evaluated, TrainingRun))
    at = opened("evaluation", view="epochs", list="cell", cell="3-5")
    for epoch, place in ((2, 1), (1, 0)):
        at.select_slider[0].set_value(epoch).run()
        assert in_url(at, "list") == "cell"
        if count := history.matrix(place)[3, 5]:
            images = "1 image" if count == 1 else f"{count:,} images"
            assert button(at, f"Open {images} in the gallery")
    opened_again(at, "evaluation", view="epochs", list="fixed")
    fixed, _ = history.changes(1)
    button(at, f"Open {len(fixed):,} images in the gallery").click().run()
    assert not at.exception
    assert at.title[0].value == "Gallery"
    assert f"**{len(fixed):,}** of" in texts(at)


def test_epochs_that_are_missing_or_damaged_show_an_error(evaluated: Path) -> None:
    for path in (evaluated / layout.EPOCHS).iterdir():
        path.write_bytes(b"x")
    at = opened("evaluation", view="epochs")
    assert "has no readable predictions per epoch" in at.error[0].value
    opened_again(at, "gallery")
    shutil.rmtree(evaluated / layout.EPOCHS)
    opened_again(at, "evaluation", view="epochs")
    assert "has no saved predictions per epoch" in texts(at)
    opened_again(at, "gallery")
    order = next(s for s in at.selectbox if s.label == "Sort by")
    assert not set(HISTORY_SORTS.values()) & set(order.options)


def test_epochs_need_no_evaluation(copied: Path) -> None:
    at = opened("evaluation", view="epochs")
    assert len(at.get("plotly_chart")) == 2


# One image


def test_an_image_has_its_history_neighbors_and_maps(
    predictions: Predictions, evaluated: Path
) -> None:
    row = int(predictions.rows()[3])
    at = opened("image", image=str(predictions.examples.indices[row]))
    assert load_history(read_run(evaluated, TrainingRun)).learning_summary(row) in texts(at)
    assert predictions.examples.name(row) in texts(at)
    true = predictions.examples.classes[predictions.examples.labels[row]]
    assert any(trace["name"] == f"{true} (true)" for trace in chart(at)["data"])
    assert ABOUT["epochs"] in texts(at)
    assert len(at.get("html")) == 2  # the image, and its maps
    for image in ("x", "99999", "-1", "9" * 5000):
        assert len(opened_again(at, "image", image=image).error) == 1, image[:9]


def test_without_features_the_next_step_is_named(predictions: Predictions, evaluated: Path) -> None:
    values_path(evaluated, predictions.checkpoint.name, "test", "features").unlink()
    at = opened("image")
    assert "features of these images have not been computed yet" in texts(at)
    assert button(at, "Compute features")
    opened_again(at, "evaluation", view="embedding")
    assert "features of these images have not been computed yet" in texts(at)
    assert button(at, "Compute features")


def test_predictions_without_their_numbers_show_an_error(
    predictions: Predictions, evaluated: Path
) -> None:
    predictions_path(evaluated, predictions.checkpoint.name, "test").unlink()
    assert "cannot be read" in opened("gallery").error[0].value


# The embedding


def test_the_embedding_is_pca_at_once_and_t_sne_after_a_job(
    predictions: Predictions, evaluated: Path
) -> None:
    checkpoint, examples = predictions.checkpoint, predictions.examples
    at = opened("evaluation", view="embedding", color="correct")
    num_wrong, num_correct = len(predictions.rows()), predictions.correct.sum()
    names = [trace["name"] for trace in chart(at)["data"]]
    assert names == [f"incorrect ({num_wrong:,})", f"correct ({num_correct:,})"]
    path = values_path(evaluated, checkpoint.name, "test", "features")
    assert np.isfinite(pca_projection(read_values(path, checkpoint, examples, "features"))).all()

    opened_again(at, "evaluation", view="embedding", project="tsne")
    assert button(at, "Compute t-SNE")
    assert not at.get("plotly_chart")
    values_path(evaluated, checkpoint.name, "test", "embedding").write_bytes(b"PK, but no zip")
    at.run()
    assert "is damaged" in at.warning[0].value
    assert button(at, "Compute t-SNE")
    coordinates = np.random.default_rng(0).normal(size=(len(predictions.correct), 2))
    write_values(evaluated, checkpoint, examples, "embedding", coordinates)
    assert len(at.run().get("plotly_chart")) == 1


# TTA


def test_predictions_with_tta_are_stored_apart_and_named(
    predictions: Predictions, evaluated: Path
) -> None:
    at = opened("evaluation", flip="on")
    assert "with TTA (flip) yet" in texts(at)
    run = read_run(evaluated, TrainingRun)
    wait_for(launch_evaluation(evaluated.parent, run, "best", "test", True), RunState.COMPLETED)
    flipped = load_predictions(run, flip=True)
    at.run()
    assert {m.label: m.value for m in at.metric}["Accuracy"] == f"{flipped.acc:.2%}"
    assert str(flipped) != str(predictions)
    assert str(flipped) in texts(at)
    opened_again(at, "gallery", flip="on")
    assert f"**{len(flipped.rows()):,}** of {flipped}" in texts(at)


# The gallery


def test_a_selection_is_a_link(predictions: Predictions, evaluated: Path) -> None:
    every = f"**{len(predictions.correct):,}** of {predictions}"
    selection = save_selection(evaluated, "test", predictions.examples.indices[[5, 8, 13]].tolist())
    at = opened("gallery", selection=selection.selection_id, show="all")
    assert f"**3** of {predictions}" in texts(at)
    at.text_input(key="selection-Name selection-name").set_value("three of them")
    button(at, "Save").click().run()
    assert not at.exception
    (named,) = named_selections(evaluated, "test")
    assert named.name == "three of them"
    next(s for s in at.selectbox if s.label == "Selection").set_value("all").run()
    assert not at.exception
    assert every in texts(at)
    next(s for s in at.selectbox if s.label == "Selection").set_value(named.selection_id).run()
    assert f"**3** of {predictions}" in texts(at)
    button(at, "Delete selection").click().run()
    assert not named_selections(evaluated, "test")
    assert every in texts(at)
    opened_again(at, "gallery", selection="0123456789")
    assert "There is no selection" in at.warning[0].value
    assert f"**{len(predictions.rows()):,}** of {predictions}" in texts(at)


def test_the_gallery_is_sorted_by_training_history(
    predictions: Predictions, evaluated: Path
) -> None:
    at = opened("gallery")
    for by in HISTORY_SORTS:
        opened_again(at, "gallery", sort=by)
        assert f"**{len(predictions.rows()):,}** of {predictions}" in texts(at), by


def test_possible_label_errors_are_shown_as_a_hint(
    predictions: Predictions, evaluated: Path
) -> None:
    at = opened("gallery", show="label_issues")
    assert "There is no show 'label_issues' here" in at.warning[0].value  # labels of drawn shapes
    manifest = predictions_path(evaluated, predictions.checkpoint.name, "test").with_suffix(".json")
    rewrite(manifest.parent, manifest.name, data="Made up")
    opened_again(at, "gallery", show="label_issues")
    assert LABEL_ISSUES in texts(at)
    assert "Train a better model" in at.info[0].value  # it has seen 8 batches
    job = launch_evaluation(evaluated.parent, read_run(evaluated, TrainingRun), "best", "train")
    wait_for(job, RunState.COMPLETED)
    opened_again(at, "gallery", split="train", show="label_issues")
    assert "There is no show 'label_issues' here" in at.warning[0].value


@pytest.mark.parametrize("page", ["data", "augmentation"])
def test_a_data_set_that_is_not_there_is_told(page: str, shared_cache: Path) -> None:
    at = app(page, data="modified-0123")
    assert "modified-0123 is not available. Showing" in at.warning[0].value
    assert "Shapes-10" in at.warning[0].value
    assert in_url(at, "data") == "shapes10"
    assert not at.run().warning
