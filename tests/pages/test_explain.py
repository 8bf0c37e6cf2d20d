"""Evaluation, Gallery and Grad-CAM in every state, through Streamlit's AppTest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.predictions import Predictions, predictions_path
from cifar_core.explain.targets import BOTH_NAME
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from cifar_core.system.files import read_json, write_json
from tests.apptest import app, button, in_url, opened_again, texts
from tests.real_jobs import held, pretend_failed, pretend_running, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


@pytest.fixture
def predictions(evaluated: Path) -> Predictions:
    return load_predictions(read_run(evaluated, TrainingRun))


def first_error(predictions: Predictions) -> int:
    """The index of a misclassified image."""
    return int(predictions.examples.indices[predictions.rows()[0]])


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def test_without_a_model_the_next_step_is_named() -> None:
    at = app()
    for page in ("evaluation", "gallery", "compare", "gradcam", "image"):
        at.switch_page(f"pages/{page}.py").run()
        assert not at.exception, page
        assert "No trained model yet" in texts(at), page


def test_what_training_predicted_needs_no_evaluation(copied: Path) -> None:
    """Of the best and of the last epoch; another split, or TTA, has to be computed."""
    run = read_run(copied, TrainingRun)
    at = app()
    for page in ("evaluation", "gallery", "gradcam", "image"):
        for name in ("best", "last"):
            checkpoint = find_checkpoint(copied, name)
            opened_again(at, page, checkpoint=checkpoint.name)
            assert "has not been evaluated" not in texts(at), page
            assert not at.error, page
    assert run.status.last is not None
    opened_again(at, "evaluation", checkpoint=find_checkpoint(copied, "last").name)
    assert f"{run.status.last.test_acc:.2%}" in {metric.value for metric in at.metric}
    for query, said in (({"split": "val"}, "validation images"), ({"flip": "on"}, "TTA (flip)")):
        opened_again(at, "gallery", **query)
        assert "has not been evaluated" in texts(at)
        assert said in texts(at)
    assert not list_runs(copied.parent, AnalysisJob)


def test_without_predictions_the_page_offers_to_evaluate(copied: Path) -> None:
    shutil.rmtree(copied / "epochs")
    at = app()
    for page in ("evaluation", "gallery", "gradcam", "image"):
        opened_again(at, page)
        assert "has not been evaluated on the test images yet" in texts(at), page
        assert "Evaluate" in labels(at), page
    button(at, "Evaluate").click().run()
    assert not at.exception
    (job,) = list_runs(copied.parent, AnalysisJob)
    wait_for(job.path, RunState.COMPLETED)
    for page in ("image", "gradcam", "gallery", "evaluation"):
        opened_again(at, page)
        assert "has not been evaluated" not in texts(at), page


def test_an_evaluation_shows_its_progress_and_why_it_failed(evaluated: Path) -> None:
    (job,) = list_runs(evaluated.parent, AnalysisJob)
    shutil.rmtree(evaluated / "tables")
    shutil.rmtree(evaluated / "epochs")
    pretend_running(job.path)
    with held(job.path, "running"):
        at = app("evaluation", run="first")
        assert not at.exception
        assert "has not been evaluated on the test images yet" in texts(at)
        assert "Stop" in labels(at)
        assert "Evaluate" not in labels(at)
    pretend_failed(job.path, "The disk is full.")
    opened_again(at, "evaluation")
    assert at.error[0].value == "The disk is full."
    assert button(at, "Evaluate")


def test_damaged_predictions_show_an_error_and_can_be_made_again(evaluated: Path) -> None:
    path = predictions_path(evaluated, find_checkpoint(evaluated).name, "test")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    at = app("gallery", run="first")
    assert not at.exception
    assert "is damaged" in at.error[0].value
    button(at, "Evaluate").click().run()
    (job,) = list_runs(evaluated.parent, AnalysisJob)
    wait_for(job.path, RunState.COMPLETED)
    assert not at.run().error


def test_evaluation_shows_the_metrics_and_opens_the_images_of_a_cell(
    predictions: Predictions,
) -> None:
    at = app("evaluation", run="nobody")
    assert "There is no run 'nobody'" in at.error[0].value
    opened_again(at, "evaluation")
    metrics = {metric.label: metric.value for metric in at.metric}
    assert metrics["Accuracy"] == f"{predictions.acc:.2%}"
    assert metrics["Errors"] == f"{len(predictions.rows()):,}"
    assert f"first: {predictions}" in texts(at)
    charts = [json.loads(chart.proto.spec)["data"] for chart in at.get("plotly_chart")]
    cells = next(trace for chart in charts for trace in chart if "customdata" in trace)
    for (true, predicted), text in zip(cells["customdata"], cells["text"], strict=True):
        assert int(text.replace(",", "")) == predictions.matrix[true, predicted]

    next(s for s in at.selectbox if s.label == "Predicted class").set_value("square").run()
    button(at, "Show images").click().run()
    assert not at.exception
    assert at.title[0].value == "Gallery"
    true, predicted = predictions.examples.classes[0], predictions.examples.classes.index("square")
    count = len(predictions.rows(0, predicted))
    expected = f"**{count:,}** of {predictions}" if count else "No matching images"
    assert expected in texts(at)
    assert in_url(at, "true") == true


def test_the_gallery_is_filtered_by_its_address(predictions: Predictions) -> None:
    third = predictions.examples.classes[3]
    at = app("gallery", run="first", show="correct", sort="loss", true=third)
    assert not at.exception
    count = len(predictions.rows(true=3, show="correct"))
    assert f"**{count:,}** of {predictions}" in texts(at)
    boxes = {s.label: s.value for s in at.selectbox}
    assert boxes["Sort by"] == "loss"

    percent = 100 * predictions.confidence
    middle = int(np.median(percent))
    opened_again(at, "gallery", show="all", sure=f"0-{middle}")
    low = int((percent <= middle).sum())
    assert 0 < low < len(predictions.correct)
    assert f"**{low:,}** of" in texts(at)
    slider = next(s for s in at.slider if s.label == "Confidence")
    slider.set_value((middle, 100)).run()
    assert in_url(at, "sure") == f"{middle}-100"
    assert f"**{int((percent >= middle).sum()):,}** of" in texts(at)
    opened_again(at, "gallery", sure="80-x")
    assert "not a range such as 20-80" in at.warning[0].value
    for sure in ("9" * 5000, f"{'9' * 40}-{'9' * 40}", "20-101", "-5-20"):
        opened_again(at, "gallery", sure=sure)
        assert "not a range such as 20-80" in at.warning[0].value
        assert not at.exception

    opened_again(at, "gallery", page="2")
    next(s for s in at.selectbox if s.label == "True class").set_value("ring").run()
    assert in_url(at, "true") == "ring"
    assert "page" not in at.query_params


def test_unknown_values_in_a_link_show_a_warning(predictions: Predictions) -> None:
    at = app()
    image = str(first_error(predictions))
    for query, sentence in (
        ({"layer": "fc"}, "There is no layer 'fc' here. Showing "),
        ({"target": "10"}, f"There is no target '10' here. Showing {BOTH_NAME}"),
        ({"method": "Magic"}, "There is no method 'Magic' here. Showing GradCAM"),
        ({"split": "all"}, "There is no split 'all' here. Showing Test"),
        ({"checkpoint": "best-1"}, "There is no checkpoint 'best-1' here. Showing best"),
    ):
        opened_again(at, "gradcam", images=image, **query)
        assert sentence in at.warning[0].value
        assert len(at.get("html")) == 1, query


def test_grad_cam_shows_the_images_that_a_link_names(predictions: Predictions) -> None:
    at = app("gradcam", run="first")  # none
    assert not at.exception
    rows = predictions.rows()
    worst = predictions.examples.indices[rows[predictions.confidence[rows].argmax()]]
    assert in_url(at, "images") == str(worst)

    indices = ",".join(str(i) for i in predictions.examples.indices[:4])
    opened_again(at, "gradcam", images=indices)
    html = at.get("html")[0].proto.body
    assert html.count("<img") == 12
    assert html.count("why ") == 8  # of each image, for two classes
    layers = next(s for s in at.selectbox if s.label == "Layer")
    assert "32x32" in layers.options[0]
    offered = len(layers.options)
    next(t for t in at.toggle if t.label == "Inner layers").set_value(True).run()
    assert len(next(s for s in at.selectbox if s.label == "Layer").options) > offered

    for images in ("99999", "a cat", "-1", ","):
        opened_again(at, "gradcam", images=images)
        assert len(at.error) == 1, images
        assert not at.get("html"), images
    opened_again(at, "gradcam", images=",".join(map(str, range(49))))
    assert "Choose 1 to 48" in at.error[0].value
    opened_again(at, "gradcam", split="upload")
    assert "Upload an image" in at.info[0].value


def test_damaged_weights_show_an_error(evaluated: Path) -> None:
    weights = next(p for p in evaluated.glob("best-*/weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4])
    at = app("gradcam", run="first")
    assert not at.exception
    assert "damaged" in at.error[0].value


def test_a_run_leads_to_its_evaluation(copied: Path) -> None:
    at = app("train", run="first")
    button(at, "Open evaluation").click().run()
    assert not at.exception
    assert at.title[0].value == "Evaluation"
    assert not list_runs(copied.parent, AnalysisJob)  # training has kept what it predicted
    shutil.rmtree(copied / "epochs")
    at = app("train", run="first")
    button(at, "Open evaluation").click().run()
    (job,) = list_runs(copied.parent, AnalysisJob)
    wait_for(job.path, RunState.COMPLETED)
    write_json(copied / "name.json", {"name": "renamed", "notes": ""})
    assert "renamed" in texts(at.run())


def test_data_that_are_gone_show_an_error(evaluated: Path, tmp_path: Path) -> None:
    request = read_json(evaluated / "request.json")
    assert request is not None
    request["config"]["data"] = str(tmp_path / "gone")
    write_json(evaluated / "request.json", request)
    at = app()
    for page in ("evaluation", "gallery", "gradcam"):
        opened_again(at, page)
        assert "gone" in at.error[0].value, page


def test_a_run_without_a_checkpoint_shows_an_error(evaluated: Path) -> None:
    for checkpoint in (*evaluated.glob("best-*"), *evaluated.glob("last-*")):
        shutil.rmtree(checkpoint)
    assert find_checkpoint(evaluated).role == "epoch"
    at = app("evaluation", run="first")
    assert not at.exception
    for checkpoint in evaluated.glob("epoch-*"):
        shutil.rmtree(checkpoint)
    opened_again(at, "evaluation")
    assert "first has no checkpoint" in at.error[0].value
    assert "No trained model yet" in texts(at)
