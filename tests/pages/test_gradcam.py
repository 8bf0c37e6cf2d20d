"""Maps side by side, slow methods, the ranking of layers, the report: AppTest."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.comparisons import ABOUT, KINDS
from cifar_core.explain.methods import METHODS
from cifar_core.explain.road import RANKED, load_ranking
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from cifar_core.system.files import write_json
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


def body(at: AppTest) -> str:
    """The HTML of the maps."""
    (html,) = at.get("html")
    return html.proto.body


def test_maps_stand_side_by_side(predictions: Predictions, evaluated: Path) -> None:
    at = opened("gradcam", beside="other")
    assert "No other model was trained on this data yet" in texts(at)
    second = Path(shutil.copytree(evaluated, evaluated.parent / "20260102-000000-beef"))
    rewrite(second, run_id=second.name)
    rewrite(second, "name.json", name="second", notes="")
    images = ",".join(str(i) for i in predictions.examples.indices[:2])
    for kind in KINDS:
        opened_again(at, "gradcam", images=images, beside=kind)
        assert ABOUT[kind] in texts(at), kind
        assert "First of 2 images" in texts(at), kind
        assert not at.error, kind
        assert body(at), kind


def test_slow_methods_say_how_long_and_refuse_what_is_too_long(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = ",".join(str(i) for i in predictions.examples.indices[:3])
    at = opened("gradcam", images=images, method="ScoreCAM", layer="layer1")
    method = next(s for s in at.selectbox if s.label == "Method")
    labels = dict(zip(METHODS, method.options, strict=True))
    assert labels["ScoreCAM"].startswith("ScoreCAM (~")
    assert labels["EigenCAM"] == "EigenCAM (any class)"
    assert labels["GradCAM"] == "GradCAM"
    assert not at.error
    assert body(at)
    monkeypatch.setattr("pages.ui.gradcam.maps.MAX_S", 1e-6)
    opened_again(at, "gradcam", images=images, method="AblationCAM", layer="layer1")
    assert "would take about" in at.error[0].value
    assert "Choose at most 1 map," in at.error[0].value


def test_a_ranking_leads_to_its_best_layer(predictions: Predictions, evaluated: Path) -> None:
    at = opened("gradcam")
    assert button(at, "Rank layers and methods")
    name = find_checkpoint(evaluated).name
    job = evaluated.parent / "20260101-000000-0ad0"
    job.mkdir()
    request = {"kind": "road", "run": evaluated.name, "checkpoint": name, "run_id": job.name}
    write_json(job / "request.json", {**request, "created": "2026-01-01T00:00:00+00:00"})
    write_json(job / "status.json", {"outcome": "completed"})
    scores = [
        {"layer": layer, "method": method, "score": 0.1 * n, "error": 0.01}
        for layer in ("layer1", "layer2")
        for n, method in enumerate((*RANKED, "RandomCAM"))
    ]
    write_json(job / "road.json", {"scores": scores})
    assert "road" in {job.kind for job in list_runs(evaluated.parent, AnalysisJob)}
    opened_again(at, "gradcam")
    ranking = load_ranking(job)
    assert str(ranking) in texts(at)
    assert len(at.get("plotly_chart")) == 1
    best = ranking.ranked[0]
    assert button(at, f"Use {best.method} at {best.layer}")


def test_scale_and_grid_can_be_switched(predictions: Predictions) -> None:
    images = ",".join(str(i) for i in predictions.examples.indices[:6])
    at = opened("gradcam", images=images)
    shared = body(at)
    normalized = body(opened_again(at, "gradcam", images=images, stretch="on"))
    assert shared != normalized
    with_grid = body(opened_again(at, "gradcam", images=images, grid="on"))
    assert "background-size" in with_grid
    assert "background-size" not in shared


def test_the_report_is_generated(predictions: Predictions, evaluated: Path) -> None:
    at = opened("evaluation")
    button(at, "Generate report").click().run()
    assert not at.exception
    jobs = list_runs(evaluated.parent, AnalysisJob)
    (job,) = [job for job in jobs if job.kind == "report"]
    wait_for(job.path, RunState.COMPLETED)
    opened_again(at, "evaluation")
    assert button(at, "Regenerate report")


def test_errors_are_stepped_through_from_the_surest(predictions: Predictions) -> None:
    surest = [
        str(predictions.examples.indices[row]) for row in most_confident_errors(predictions, 3)
    ]
    at = app("gradcam", run="first")
    assert button(at, "Previous error").disabled
    for index in surest[1:]:
        button(at, "Next error").click().run()
        assert in_url(at, "images") == index
    assert "Error 3 of " in texts(at)
    button(at, "Previous error").click().run()
    assert in_url(at, "images") == surest[1]
    right = int(predictions.examples.indices[predictions.correct.argmax()])
    opened_again(at, "gradcam", images=str(right))
    assert "Classified correctly" in texts(at)
    button(at, "Next error").click().run()
    assert in_url(at, "images") == surest[0]
