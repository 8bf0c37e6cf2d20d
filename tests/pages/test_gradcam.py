"""Maps side by side, slow methods, the ranking of layers, the report: AppTest."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.evaluation.predictions import Predictions, load_predictions
from cifar_core.explain.comparisons import ABOUT, KINDS
from cifar_core.explain.methods import METHODS
from cifar_core.explain.road import RANKED, load_ranking
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from cifar_core.system.files import write_json
from tests.apptest import app, button, texts
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


@pytest.mark.parametrize("kind", KINDS)
def test_maps_stand_side_by_side(predictions: Predictions, evaluated: Path, kind: str) -> None:
    if kind == "other":
        assert "no second model of the same data" in texts(opened("gradcam", beside=kind))
        second = Path(shutil.copytree(evaluated, evaluated.parent / "20260102-000000-beef"))
        rewrite(second, run_id=second.name)
        rewrite(second, "name.json", name="second", notes="")
    images = ",".join(str(i) for i in predictions.examples.indices[:2])
    at = opened("gradcam", images=images, beside=kind)
    assert ABOUT[kind] in texts(at)
    assert "The first of 2 images" in texts(at)
    assert not at.error
    assert len(at.get("html")) == 1


def test_slow_methods_say_how_long_and_refuse_what_is_too_long(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = ",".join(str(i) for i in predictions.examples.indices[:3])
    at = opened("gradcam", images=images, method="ScoreCAM", layer="layer1")
    method = next(s for s in at.selectbox if s.label == "Method")
    labels = dict(zip(METHODS, method.options, strict=True))
    assert labels["ScoreCAM"].startswith("ScoreCAM, slow: ")
    assert labels["EigenCAM"] == "EigenCAM, any class"
    assert labels["GradCAM"] == "GradCAM"
    assert not at.error
    assert len(at.get("html")) == 1
    monkeypatch.setattr("pages.ui.gradcam.maps.MOST_S", 1e-6)
    at = opened("gradcam", images=images, method="AblationCAM", layer="layer1")
    assert "would take about" in at.error[0].value
    assert "Choose at most 1" in at.error[0].value


def test_a_ranking_leads_to_its_best_layer(predictions: Predictions, evaluated: Path) -> None:
    at = opened("gradcam")
    assert button(at, "Rank layers and methods")
    name = find_checkpoint(evaluated).name
    job = evaluated.parent / "20260101-000000-0ad0"
    job.mkdir()
    request = {"kind": "road", "run": evaluated.name, "checkpoint": name}
    write_json(job / "request.json", {**request, "created": "2026-01-01T00:00:00+00:00"})
    write_json(job / "status.json", {"outcome": "completed"})
    found = [
        {"layer": layer, "method": method, "score": 0.1 * n, "error": 0.01}
        for layer in ("layer1", "layer2")
        for n, method in enumerate((*RANKED, "RandomCAM"))
    ]
    write_json(job / "road.json", {"found": found})
    assert list_runs(evaluated.parent, "road")
    at = opened("gradcam")
    assert str(load_ranking(job)) in texts(at)
    assert len(at.get("plotly_chart")) == 1


def test_grid_and_one_scale_can_be_switched_on(predictions: Predictions) -> None:
    plain = opened("gradcam").get("html")[0].proto.body
    grid = opened("gradcam", grid="on").get("html")[0].proto.body
    assert "background-size" in grid
    assert "background-size" not in plain


def test_the_report_is_asked_for(predictions: Predictions, evaluated: Path) -> None:
    at = opened("evaluation")
    button(at, "Write the report").click().run()
    assert not at.exception
    (job,) = list_runs(evaluated.parent, "report")
    wait_for(job.path, RunState.COMPLETED)
    at = opened("evaluation")
    assert button(at, "Write it again")
