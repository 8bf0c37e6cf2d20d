"""Epochs, one image, the map of images, kept selections, doubts: AppTest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.evaluation.features import pca_projection, read_values, values_path, write_values
from cifar_core.evaluation.history import load_history
from cifar_core.evaluation.predictions import Predictions, load_predictions, predictions_path
from cifar_core.evaluation.selections import named_selections, save_selection
from cifar_core.evaluation.sorting import HISTORY_SORTS
from cifar_core.explain.comparisons import ABOUT
from cifar_core.jobs.launch_analysis import launch_evaluation
from cifar_core.runs.states import RunState
from cifar_core.runs.store import FOLDER, read_run
from tests.apptest import app, button, in_url, texts
from tests.real_jobs import rewrite, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


@pytest.fixture
def predictions(evaluated: Path) -> Predictions:
    return load_predictions(read_run(evaluated))


def opened(page: str, **query: str) -> AppTest:
    at = app(page, run="first", **query)
    assert not at.exception
    return at


def chart(at: AppTest, number: int = 0) -> dict:
    return json.loads(at.get("plotly_chart")[number].proto.spec)


# Over the epochs


def test_the_slider_moves_the_matrix_and_the_lists(evaluated: Path) -> None:
    history = load_history(read_run(evaluated))
    at = opened("evaluation", view="epochs")
    for epoch, place in ((2, 1), (1, 0)):
        at.select_slider[0].set_value(epoch).run()
        assert not at.exception
        shown = {m.label: m.value for m in at.metric}
        right, wrong = history.changes(place)
        assert shown["Accuracy"] == f"{history.acc[place]:.2%}"
        assert (shown["Newly right"], shown["Newly wrong"]) == (
            f"{len(right):,}",
            f"{len(wrong):,}",
        )
        cells = next(t for t in chart(at)["data"] if "customdata" in t)
        matrix = history.matrix(place)
        for (true, predicted), text in zip(cells["customdata"], cells["text"], strict=True):
            assert int(text.replace(",", "")) == matrix[true, predicted]
    assert in_url(at, "epoch") == "1"
    assert "nothing before this epoch to compare with" in texts(at)


def test_an_epoch_that_is_not_there_gives_way_to_the_last(evaluated: Path) -> None:
    at = opened("evaluation", view="epochs", epoch="77")
    assert at.select_slider[0].value == 2
    assert "There is no epoch '77' here" in at.warning[0].value


def test_a_cell_and_a_list_stay_while_the_slider_moves(evaluated: Path) -> None:
    history = load_history(read_run(evaluated))
    at = opened("evaluation", view="epochs", list="cell", cell="3-5")
    for epoch, place in ((2, 1), (1, 0)):
        at.select_slider[0].set_value(epoch).run()
        assert in_url(at, "list") == "cell"
        if count := history.matrix(place)[3, 5]:
            assert button(at, f"All {count:,} in the gallery")
    at = opened("evaluation", view="epochs", list="right")
    right, _ = history.changes(1)
    button(at, f"All {len(right):,} in the gallery").click().run()
    assert not at.exception
    assert at.title[0].value == "Gallery"
    assert f"**{len(right):,}** of" in texts(at)


def test_maps_of_several_images_share_a_scale_unless_stretched(predictions: Predictions) -> None:
    images = ",".join(str(i) for i in predictions.examples.indices[:6])
    shared, own = (
        opened("gradcam", images=images, **more).get("html")[0].proto.body
        for more in ({}, {"stretch": "on"})
    )
    assert shared != own


def test_a_run_that_kept_no_epochs_says_so(evaluated: Path) -> None:
    shutil.rmtree(evaluated / FOLDER)
    assert "before the epochs were kept" in texts(opened("evaluation", view="epochs"))
    at = opened("gallery")
    order = next(s for s in at.selectbox if s.label == "Sort by")
    assert not set(HISTORY_SORTS.values()) & set(order.options)


def test_damaged_epochs_are_a_sentence(evaluated: Path) -> None:
    for path in (evaluated / FOLDER).iterdir():
        path.write_bytes(b"x")
    at = opened("evaluation", view="epochs")
    assert "no readable predictions per epoch" in at.error[0].value
    opened("gallery")


def test_epochs_need_no_evaluation(copied: Path) -> None:
    at = opened("evaluation", view="epochs")
    assert len(at.get("plotly_chart")) == 2


# One image


def test_an_image_has_its_story_neighbours_and_maps(
    predictions: Predictions, evaluated: Path
) -> None:
    row = int(predictions.rows()[3])
    at = opened("image", image=str(predictions.examples.indices[row]))
    assert load_history(read_run(evaluated)).learning_summary(row) in texts(at)
    assert predictions.examples.name(row) in texts(at)
    true = predictions.examples.classes[predictions.examples.labels[row]]
    assert any(trace["name"] == f"{true} (true)" for trace in chart(at)["data"])
    assert ABOUT["epochs"] in texts(at)
    assert len(at.get("html")) == 2  # the image, and its maps


@pytest.mark.parametrize("image", ["x", "99999", "-1", "9" * 5000])
def test_an_image_that_is_not_there_is_a_sentence(evaluated: Path, image: str) -> None:
    assert len(opened("image", image=image).error) == 1


def test_without_features_the_way_to_them_is_named(
    predictions: Predictions, evaluated: Path
) -> None:
    values_path(evaluated, predictions.checkpoint.name, "test", "features").unlink()
    for at in (opened("image"), opened("evaluation", view="places")):
        assert "Evaluate this checkpoint again" in texts(at)
        assert button(at, "Evaluate again")


def test_a_damaged_embedding_is_found_again(predictions: Predictions, evaluated: Path) -> None:
    path = values_path(evaluated, predictions.checkpoint.name, "test", "embedding")
    path.write_bytes(b"PK, but no zip")
    at = opened("evaluation", view="places", project="tsne")
    assert "is damaged. Compute t-SNE again" in at.warning[0].value
    assert button(at, "Compute t-SNE")


def test_a_table_that_lost_its_numbers_is_a_sentence(
    predictions: Predictions, evaluated: Path
) -> None:
    predictions_path(evaluated, predictions.checkpoint.name, "test").unlink()
    assert "cannot be read" in opened("gallery").error[0].value


# The map of the images


def test_images_lie_where_their_features_put_them(
    predictions: Predictions, evaluated: Path
) -> None:
    features = read_values(evaluated, predictions.checkpoint, predictions.examples, "features")
    at = opened("evaluation", view="places", colour="correct")
    names = [trace["name"] for trace in chart(at)["data"]]
    assert names == [
        f"incorrect ({len(predictions.rows()):,})",
        f"correct ({predictions.correct.sum():,})",
    ]
    assert np.isfinite(pca_projection(features)).all()


def test_the_neighbour_embedding_is_asked_for_and_then_there(
    predictions: Predictions, evaluated: Path
) -> None:
    at = opened("evaluation", view="places", project="tsne")
    assert button(at, "Compute t-SNE")
    assert not at.get("plotly_chart")
    places = np.random.default_rng(0).normal(size=(len(predictions.correct), 2))
    write_values(evaluated, predictions.checkpoint, predictions.examples, "embedding", places)
    assert len(opened("evaluation", view="places", project="tsne").get("plotly_chart")) == 1


# Test-time flip


def test_flip_is_another_table_that_says_so(predictions: Predictions, evaluated: Path) -> None:
    at = opened("evaluation", flip="on")
    assert "with test-time flip yet" in texts(at)
    wait_for(launch_evaluation(evaluated.parent, read_run(evaluated), "best", "test", True),
             RunState.COMPLETED)  # fmt: skip
    flipped = load_predictions(read_run(evaluated), flip=True)
    at = opened("evaluation", flip="on")
    assert {m.label: m.value for m in at.metric}["Accuracy"] == f"{flipped.acc:.2%}"
    assert "test-time flip" in texts(at)
    assert f"**{len(flipped.rows()):,}** of {flipped}" in texts(opened("gallery", flip="on"))


# The gallery


def test_a_selection_is_a_link(predictions: Predictions, evaluated: Path) -> None:
    indices = predictions.examples.indices[[5, 8, 13]].tolist()
    kept = save_selection(evaluated, "test", indices)
    at = opened("gallery", selection=kept.selection_id, show="all")
    assert f"**3** of {predictions}" in texts(at)
    at.text_input(key="selection-Name it-name").set_value("three of them")
    button(at, "Keep").click().run()
    assert not at.exception
    (named,) = named_selections(evaluated, "test")
    assert named.name == "three of them"
    button(at, "Forget it").click().run()
    assert not named_selections(evaluated, "test")
    assert f"**{len(predictions.correct):,}** of {predictions}" in texts(at)
    at = opened("gallery", selection="0123456789")
    assert "There is no selection" in at.warning[0].value
    assert f"**{len(predictions.rows()):,}** of {predictions}" in texts(at)


def test_every_image_is_shown_again(predictions: Predictions, evaluated: Path) -> None:
    kept = save_selection(evaluated, "test", predictions.examples.indices[[5, 8]].tolist(), "two")
    at = opened("gallery", selection=kept.selection_id, show="all")
    assert f"**2** of {predictions}" in texts(at)
    next(s for s in at.selectbox if s.label == "Selection").set_value("every").run()
    assert not at.exception
    assert f"**{len(predictions.correct):,}** of {predictions}" in texts(at)


def test_the_gallery_is_ordered_by_how_images_fared(
    predictions: Predictions, evaluated: Path
) -> None:
    for by in HISTORY_SORTS:
        assert f"**{len(predictions.rows()):,}** of {predictions}" in texts(
            opened("gallery", sort=by)
        )


def test_labels_in_doubt_are_shown_as_a_hint(predictions: Predictions, evaluated: Path) -> None:
    at = opened("gallery", show="label_issues")
    assert "There is no show 'label_issues' here" in at.warning[0].value  # labels of drawn shapes
    facts = predictions_path(evaluated, predictions.checkpoint.name, "test").with_suffix(".json")
    rewrite(facts.parent, facts.name, data="Made up")
    at = opened("gallery", show="label_issues")
    assert "Confident learning" in texts(at)
    assert "Train a better model" in at.info[0].value  # it has seen 8 batches
    job = launch_evaluation(evaluated.parent, read_run(evaluated), "best", "train")
    wait_for(job, RunState.COMPLETED)
    at = opened("gallery", split="train", show="label_issues")
    assert "There is no show 'label_issues' here" in at.warning[0].value
