"""Every page in every state, through Streamlit's AppTest: no exception, and the next step named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cifar_core.config.recipes import RECIPES
from cifar_core.config.train import make_config
from cifar_core.runs.states import RunState
from cifar_core.runs.store import DataJob, TrainingRun, list_runs, read_run
from cifar_core.system.paths import repository
from tests.apptest import app, button, texts
from tests.made_up_data import made_up, write_parquet
from tests.real_jobs import SMALL, held, pretend_failed, pretend_running, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")
PAGES = ("home", "data", "augmentation", "lr_finder", "train", "runs", "models")
PAGES += ("evaluation", "gallery", "compare", "gradcam")
STATES = ("no data", "no runs", "running", "queued", "finished", "failed")


@pytest.fixture
def in_state(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Brings data and runs into the state that the test is parametrised with."""
    state = request.param
    if state == "no data":
        monkeypatch.setenv("CIFAR_CACHE", str(tmp_path / "empty"))
        request.getfixturevalue("known_speeds")
        yield state
        return
    if state != "no runs":
        copied: Path = request.getfixturevalue("copied")
        if state == "failed":
            pretend_failed(copied, "The loss became nan before step 7.")
        if state in ("running", "queued"):
            pretend_running(copied)
            with held(copied, state):
                yield state
            return
    yield state


@pytest.mark.parametrize("in_state", STATES, indirect=True)
def test_every_page_renders_in_every_state(in_state: str) -> None:
    at = app()
    for page in PAGES:
        open_page(at, page)
        assert not at.error, page
        assert at.title, page
    if in_state in STATES[2:]:  # the states with a run
        open_page(at, "train", run="first")
        check_run_view(at, in_state)


def open_page(at: AppTest, page: str, **query: str) -> None:
    """Opens a page as its link in the navigation does, without the parameters of the last one."""
    at.query_params.clear()
    at.query_params.update(query)
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, page


def check_run_view(at: AppTest, state: str) -> None:
    """The badge, the buttons and the contents of a run's page."""
    assert at.title[0].value == "first"
    expected = {"finished": "completed"}.get(state, state)
    assert expected in "".join(m.value for m in at.markdown)  # the badge
    labels = [b.label for b in at.button]
    assert ("Stop" in labels) == (state in ("running", "queued"))
    if state == "queued":
        assert "Queued: next on CPU" in at.info[0].value
    if state == "failed":
        assert "loss became nan" in at.error[0].value
        assert "KeyError" in at.code[0].value
    if state == "finished":
        charts = [json.loads(c.proto.spec) for c in at.get("plotly_chart")]
        names = {trace["name"] for chart in charts for trace in chart["data"]}
        assert {"train", "val", "test"} <= names
        metrics = {m.label: m.value for m in at.metric}
        assert metrics["Epoch"] == "2 / 2"
        assert metrics["Test accuracy"].endswith("%")


def test_home_without_data_offers_three_ways_and_refuses_a_changed_copy(
    own_cache: Path, tmp_path: Path, runs: Path
) -> None:
    at = app()
    assert {"Download", "Import", "Start with Shapes-10"} <= {b.label for b in at.button}
    # the hardware
    assert "Device: cpu" in texts(at)
    assert "bf16" in texts(at)
    # a folder with other images
    folder = write_parquet(tmp_path / "copy", made_up(40, 20))
    at.text_input[0].set_value(str(folder)).run()
    button(at, "Import").click().run()
    assert not at.exception
    (job,) = list_runs(runs, DataJob)
    assert wait_for(job.path, RunState.FAILED).state is RunState.FAILED
    at.run()
    assert "is not the complete CIFAR-10" in at.error[0].value


def test_home_reports_that_cifar10_dir_has_no_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    at = app()
    assert "CIFAR10_DIR = " in at.error[0].value


def test_data_shows_images_by_class_and_split() -> None:
    at = app("data")
    assert "20,000 train images" in texts(at)
    at.button_group[2].set_value(["ring"]).run()
    assert "2,000 train images" in texts(at)
    assert [b.proto.label for b in at.get("download_button")] == ["Download PNG"]
    assert not at.exception
    assert at.metric[0].label == "Red mean"


def test_models_shows_the_layer_table() -> None:
    at = app("models", model="sepnet_v1")
    assert {m.label: m.value for m in at.metric}["Parameters"] == "180,978"
    assert len(at.dataframe[0].value) == 35
    at.selectbox[0].set_value("resnet18").run()
    assert len(at.dataframe[0].value) == 49
    assert "           Linear-49                   [-1, 10]           5,130\n" in at.code[0].value
    at.toggle[0].set_value(True).run()
    assert "        AvgPool2d-50            [-1, 512, 1, 1]               0\n" in at.code[0].value
    assert not at.exception


def test_the_form_on_a_cpu_and_with_a_recipe() -> None:
    at = app("train")
    # on a CPU it opens with the quick recipe, and with a forecast
    assert next(s for s in at.selectbox if s.label == "Model").value == "convnet"
    epochs = next(n for n in at.number_input if n.label == "Epochs")
    assert epochs.value == RECIPES["quick"]["epochs"]
    assert "images, 1.1 GB of memory, 5 MB on disk" in texts(at)
    assert any("Measured on this machine: 2,000 images/s" in c.value for c in at.caption)
    # a recipe fills it
    at.button_group[0].set_value("s9_sepnet_v1").run()
    assert not at.exception
    assert next(s for s in at.selectbox if s.label == "Model").value == "sepnet_v1"
    assert next(n for n in at.number_input if n.label == "Epochs").value == 50


def test_start_trains_for_real_and_the_page_follows(runs: Path) -> None:
    at = app("train")
    at.session_state["draft"] = make_config(SMALL).model_dump(mode="json")
    at.session_state["draft_version"] = 7
    at.run()
    next(t for t in at.text_input if t.label == "Name").set_value("by hand").run()
    button(at, "Start training").click().run()
    assert not at.exception
    assert not at.error
    (run,) = list_runs(runs)
    assert run.name == "by hand"
    wait_for(run.path, RunState.COMPLETED)
    at.run()
    assert "completed" in "".join(m.value for m in at.markdown)
    assert {m.label: m.value for m in at.metric}["Epoch"] == "2 / 2"


def test_a_taken_name_is_refused(copied: Path) -> None:
    at = app("train")
    at.session_state["draft"] = make_config(SMALL).model_dump(mode="json")
    at.session_state["draft_version"] = 7
    at.run()
    next(t for t in at.text_input if t.label == "Name").set_value("first").run()
    button(at, "Start training").click().run()
    assert not at.exception
    assert "already a run named 'first'" in at.error[0].value
    assert len(list_runs(copied.parent)) == 1


def test_stop_requests_the_worker_to_stop(copied: Path) -> None:
    pretend_running(copied)
    with held(copied, "running"):
        at = app("train", run="first")
        button(at, "Stop").click().run()
        assert not at.exception
        assert (copied / "stop").exists()
        assert read_run(copied, TrainingRun).state is RunState.STOPPING


def test_an_unknown_run_is_an_error() -> None:
    at = app("train", run="nobody")
    assert not at.exception
    assert "There is no run 'nobody'" in at.error[0].value


def test_a_run_is_duplicated(copied: Path) -> None:
    at = app("train", run="first")
    button(at, "Duplicate run").click().run()
    assert not at.exception
    assert next(n for n in at.number_input if n.label == "Training images").value == 512


def test_runs_lists_a_run_and_warns_about_one_that_cannot_be_read(copied: Path) -> None:
    at = app("runs")
    assert not at.exception
    frame = at.dataframe[0].value
    assert list(frame["Name"]) == ["first"]
    assert list(frame["Notes"]) == ["notes of the first"]
    assert "1 run, " in texts(at)
    assert len(at.get("plotly_chart")) == 2
    # with a model that does not exist it cannot be read
    request = json.loads((copied / "request.json").read_text())
    request["config"]["model"] = "resnet17"
    (copied / "request.json").write_text(json.dumps(request))
    st.cache_resource.clear()  # the listing does not read an ended run again
    at.run()
    assert not at.exception
    assert f"Skipped run {copied.name}" in at.warning[0].value
    assert "resnet17" in at.warning[0].value


def test_a_page_requested_first_is_opened_through_the_router() -> None:
    at = AppTest.from_file(repository() / "pages/models.py", default_timeout=60)
    at.session_state["app_started"] = True
    at.run()
    assert not at.exception
    assert at.title[0].value == "Models"
