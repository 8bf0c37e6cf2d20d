"""Evaluation, Gallery and Grad-CAM in every state, through Streamlit's AppTest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.predictions import Predictions, load_predictions, predictions_path
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from cifar_core.system.files import read_json, write_json
from tests.apptest import app, button, in_url, texts
from tests.real_jobs import held, pretend_failed, pretend_running, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


@pytest.fixture
def predictions(evaluated: Path) -> Predictions:
    return load_predictions(read_run(evaluated))


def first_error(predictions: Predictions) -> int:
    """The index of an image that it got wrong."""
    return int(predictions.examples.indices[predictions.rows()[0]])


@pytest.mark.parametrize("page", ["evaluation", "gallery", "compare", "gradcam", "image"])
def test_without_a_model_the_next_step_is_named(page: str) -> None:
    at = app(page)
    assert not at.exception
    assert "no trained model yet" in texts(at)


@pytest.mark.parametrize("page", ["evaluation", "gallery", "gradcam", "image"])
def test_without_a_table_the_page_offers_to_make_it(page: str, copied: Path) -> None:
    at = app(page, run="first")
    assert not at.exception
    assert "was not evaluated on the test images yet" in texts(at)
    button(at, "Evaluate").click().run()
    assert not at.exception
    (job,) = list_runs(copied.parent, "evaluate")
    wait_for(job.path, RunState.COMPLETED)
    at.run()
    assert not at.exception
    assert "was not evaluated" not in texts(at)


def test_an_evaluation_under_way_shows_how_far_it_is(evaluated: Path) -> None:
    (job,) = list_runs(evaluated.parent, "evaluate")
    shutil.rmtree(evaluated / "tables")
    pretend_running(job.path)
    with held(job.path, "running"):
        at = app("evaluation", run="first")
        assert not at.exception
        assert "was not evaluated on the test images yet" in texts(at)
        assert "Stop" in [b.label for b in at.button]
        assert "Evaluate" not in [b.label for b in at.button]


def test_a_failed_evaluation_says_why_and_can_be_tried_again(evaluated: Path) -> None:
    (job,) = list_runs(evaluated.parent, "evaluate")
    shutil.rmtree(evaluated / "tables")
    pretend_failed(job.path, "The disk is full.")
    at = app("evaluation", run="first")
    assert at.error[0].value == "The disk is full."
    assert button(at, "Evaluate")


def test_a_damaged_table_is_a_sentence_and_can_be_made_anew(evaluated: Path) -> None:
    path = predictions_path(evaluated, find_checkpoint(evaluated).name, "test")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    at = app("gallery", run="first")
    assert not at.exception
    assert "is damaged" in at.error[0].value
    button(at, "Evaluate").click().run()
    (job,) = list_runs(evaluated.parent, "evaluate")
    wait_for(job.path, RunState.COMPLETED)
    assert not at.run().error


def test_evaluation_shows_the_figures_of_the_table(predictions: Predictions) -> None:
    at = app("evaluation", run="first")
    assert not at.exception
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Accuracy"] == f"{predictions.acc:.2%}"
    assert shown["Errors"] == f"{len(predictions.rows()):,}"
    assert f"first: {predictions}" in texts(at)
    charts = [json.loads(chart.proto.spec)["data"] for chart in at.get("plotly_chart")]
    cells = next(trace for chart in charts for trace in chart if "customdata" in trace)
    for (true, predicted), text in zip(cells["customdata"], cells["text"], strict=True):
        assert int(text.replace(",", "")) == predictions.matrix[true, predicted]


def test_two_lists_lead_to_the_images_of_a_cell(predictions: Predictions) -> None:
    at = app("evaluation", run="first")
    next(s for s in at.selectbox if s.label == "Predicted class").set_value("square").run()
    button(at, "Show its images").click().run()
    assert not at.exception
    assert at.title[0].value == "Gallery"
    true, predicted = predictions.examples.classes[0], predictions.examples.classes.index("square")
    count = len(predictions.rows(0, predicted))
    wanted = f"**{count:,}** of {predictions}" if count else f"None of {predictions}"
    assert wanted in texts(at)
    assert in_url(at, "true") == true


def test_a_linked_view_of_the_gallery_is_that_view(predictions: Predictions) -> None:
    at = app(
        "gallery", run="first", show="correct", sort="loss", true=predictions.examples.classes[3]
    )
    assert not at.exception
    count = len(predictions.rows(true=3, show="correct"))
    assert f"**{count:,}** of {predictions}" in texts(at)
    boxes = {s.label: s.value for s in at.selectbox}
    assert boxes["Sort by"] == "loss"


def test_the_gallery_is_filtered_by_confidence(predictions: Predictions) -> None:
    middle = int(100 * np.median(predictions.confidence))
    at = app("gallery", run="first", show="all", sure=f"0-{middle}")
    assert not at.exception
    low = int((100 * predictions.confidence <= middle).sum())
    assert 0 < low < len(predictions.correct)
    assert f"**{low:,}** of" in texts(at)
    slider = next(s for s in at.slider if s.label == "Confidence")
    slider.set_value((middle, 100)).run()
    assert in_url(at, "sure") == f"{middle}-100"
    assert f"**{int((100 * predictions.confidence >= middle).sum()):,}** of" in texts(at)
    at = app("gallery", run="first", sure="80-x")
    assert "no range such as 20-80" in at.warning[0].value


def test_a_gallery_filter_goes_into_the_url(predictions: Predictions) -> None:
    at = app("gallery", run="first", page="2")
    next(s for s in at.selectbox if s.label == "True class").set_value("ring").run()
    assert in_url(at, "true") == "ring"
    assert "page" not in at.query_params


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"layer": "fc"}, "There is no layer 'fc' here. Shown: "),
        ({"target": "10"}, "There is no target '10' here. Shown: the predicted class"),
        ({"method": "Magic"}, "There is no method 'Magic' here. Shown: GradCAM"),
        ({"split": "all"}, "There is no split 'all' here. Shown: Test"),
        ({"checkpoint": "best-1"}, "There is no checkpoint 'best-1' here. Shown: best"),
    ],
)
def test_what_a_link_names_wrongly_is_said(
    predictions: Predictions, query: dict[str, str], sentence: str
) -> None:
    at = app("gradcam", run="first", images=str(first_error(predictions)), **query)
    assert not at.exception
    assert sentence in at.warning[0].value
    assert len(at.get("html")) == 1


@pytest.mark.parametrize("images", ["99999", "a cat", "-1", ","])
def test_images_that_are_not_there_are_a_sentence(evaluated: Path, images: str) -> None:
    at = app("gradcam", run="first", images=images)
    assert not at.exception
    assert len(at.error) == 1
    assert not at.get("html")


def test_more_images_than_a_page_holds_are_a_sentence(evaluated: Path) -> None:
    at = app("gradcam", run="first", images=",".join(map(str, range(49))))
    assert "Choose 1 to 48" in at.error[0].value


def test_an_unknown_run_is_a_sentence(evaluated: Path) -> None:
    assert "There is no run 'nobody'" in app("evaluation", run="nobody").error[0].value


def test_grad_cam_draws_three_pictures_per_image(predictions: Predictions) -> None:
    indices = ",".join(str(i) for i in predictions.examples.indices[:4])
    at = app("gradcam", run="first", images=indices)
    assert not at.exception
    drawn = at.get("html")[0].proto.body
    assert drawn.count("<img") == 12
    assert drawn.count("<figure") == 4
    layers = next(s for s in at.selectbox if s.label == "Layer")
    assert layers.options[0].endswith("x32x32") or "32x32" in layers.options[0]
    offered = len(layers.options)
    next(t for t in at.toggle if t.label == "All layers").set_value(True).run()
    assert len(next(s for s in at.selectbox if s.label == "Layer").options) > offered


def test_without_images_the_most_certain_error_is_shown(predictions: Predictions) -> None:
    at = app("gradcam", run="first")
    assert not at.exception
    rows = predictions.rows()
    worst = predictions.examples.indices[rows[predictions.confidence[rows].argmax()]]
    assert in_url(at, "images") == str(worst)


def test_own_images_are_asked_for(evaluated: Path) -> None:
    at = app("gradcam", run="first", split="your own")
    assert not at.exception
    assert "Choose a picture" in at.info[0].value


def test_a_checkpoint_of_another_model_is_a_sentence(evaluated: Path) -> None:
    checkpoint = find_checkpoint(evaluated)
    manifest = read_json(checkpoint.path / "manifest.json")
    assert manifest is not None
    weights = next(p for p in evaluated.glob("best-*/weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4])
    at = app("gradcam", run="first")
    assert not at.exception
    assert "damaged" in at.error[0].value


def test_a_run_leads_to_its_evaluation(copied: Path) -> None:
    at = app("train", run="first")
    button(at, "What does it get wrong?").click().run()
    assert not at.exception
    assert at.title[0].value == "Evaluation"
    (job,) = list_runs(copied.parent, "evaluate")
    wait_for(job.path, RunState.COMPLETED)
    write_json(copied / "name.json", {"name": "renamed", "notes": ""})
    assert "renamed" in texts(at.run())


def test_data_that_are_gone_are_a_sentence(evaluated: Path, tmp_path: Path) -> None:
    request = read_json(evaluated / "request.json")
    assert request is not None
    request["config"]["data"] = str(tmp_path / "gone")
    write_json(evaluated / "request.json", request)
    for page in ("evaluation", "gallery", "gradcam"):
        at = app(page, run="first")
        assert not at.exception
        assert "gone" in at.error[0].value


def test_a_run_without_a_checkpoint_is_a_sentence(evaluated: Path) -> None:
    for checkpoint in (*evaluated.glob("best-*"), *evaluated.glob("last-*")):
        shutil.rmtree(checkpoint)
    assert find_checkpoint(evaluated).role == "epoch"
    assert not app("evaluation", run="first").exception
    for checkpoint in evaluated.glob("epoch-*"):
        shutil.rmtree(checkpoint)
    at = app("evaluation", run="first")
    assert not at.exception
    assert "first has no checkpoint" in at.error[0].value
    assert "no trained model yet" in texts(at)
