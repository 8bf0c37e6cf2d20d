"""The LR finder in every state, and its value on the way into a run, through AppTest."""

import json
import shutil
from pathlib import Path

import pytest

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import make_config
from cifar_core.jobs.launch import launch_lr_find, launch_training
from cifar_core.lr_finder.curve import curve_of
from cifar_core.lr_finder.suggest import disagreement, suggest_all
from cifar_core.records.records import to_line
from cifar_core.runs.requests import LROrigin, LRSource
from cifar_core.runs.states import RunState
from cifar_core.runs.store import LRTestRun, TrainingRun, list_runs, read_run
from cifar_core.system.files import write_json
from cifar_core.validation import validated
from tests.apptest import app, button, texts
from tests.lr_finder.test_curve import points_of
from tests.lr_finder.test_rules import bowl
from tests.real_jobs import SMALL, held, pretend_failed, pretend_running, small, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")
CUSTOM_LR = "Custom LR (or click the curve)"


@pytest.fixture(scope="session")
def tested_once(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished LR test, done by a real worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        find = validated(LRTestConfig, {"num_steps": 40, "end_lr": 5})
        job = launch_lr_find(tmp_path_factory.mktemp("tested"), small(train_size=4000), find)
        wait_for(job, RunState.COMPLETED, timeout_s=110)
    return job


@pytest.fixture
def tested(tested_once: Path, runs: Path) -> Path:
    """A copy of it in the test's own runs."""
    runs.mkdir(exist_ok=True)
    return Path(shutil.copytree(tested_once, runs / tested_once.name))


def test_a_test_starts_with_the_forms_settings(runs: Path) -> None:
    at = app("lr_finder")
    at.session_state["draft"] = make_config(SMALL).model_dump(mode="json")
    at.run()
    # a falling range is refused and starts nothing
    next(n for n in at.number_input if n.label == "End LR").set_value(1e-6).run()
    button(at, "Start LR test").click().run()
    assert "is not above" in at.error[0].value
    assert list_runs(runs, LRTestRun) == []
    # a rising one starts
    next(n for n in at.number_input if n.label == "End LR").set_value(10.0)
    next(n for n in at.number_input if n.label == "Steps").set_value(20).run()
    button(at, "Start LR test").click().run()
    assert not at.exception
    (job,) = list_runs(runs, LRTestRun)
    assert job.config == small()
    assert job.request.find.num_steps == 20
    wait_for(job.path, RunState.COMPLETED)
    at.run()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 1


def test_a_suggestion_goes_into_the_form_with_its_origin(tested: Path) -> None:
    at = app("lr_finder", test=tested.name)
    assert not at.exception
    button(at, "Use in training").click().run()
    assert not at.exception
    assert at.title[0].value == "Train"
    lr = next(n for n in at.number_input if n.label == "Learning rate").value
    labels = [link.proto.label for link in at.get("page_link")]
    assert any(label.startswith(f"{lr:g} from the LR test at") for label in labels)
    assert "That test used different" in texts(at)  # the untouched form is not what was tested


def test_a_failed_test_shows_its_reason(tested: Path) -> None:
    pretend_failed(tested, "GPU out of memory.")
    at = app("lr_finder", test=tested.name)
    assert at.error[0].value == "GPU out of memory."
    assert "Use in training" not in [b.label for b in at.button]


def test_a_running_test_can_be_stopped(tested: Path) -> None:
    pretend_running(tested)
    with held(tested, "running"):
        at = app("lr_finder", test=tested.name)
        button(at, "Stop").click().run()
        assert not at.exception
        assert (tested / "stop").exists()


@pytest.fixture
def readable(tested: Path) -> Path:
    """A test whose curve supports all four rules."""
    lines = [to_line(point).decode() for point in points_of(bowl(), 0)]
    (tested / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    return tested


def test_a_suggestion_or_a_custom_value_is_used(readable: Path) -> None:
    at = app("lr_finder", test=readable.name)
    # all four rules and a custom value are offered
    choice = next(g for g in at.button_group if "custom" in g.options)
    rules = [option.split(":")[0] for option in choice.options]
    assert rules == ["steepest", "valley", "minimum/10", "slide", "custom"]
    suggestions = suggest_all(curve_of(points_of(bowl(), 0)), LRTestConfig().diverge_factor)
    assert disagreement(suggestions) in texts(at)
    # one of the rules
    rule, lr = choice.options[1].split(": ")
    choice.set_value(rule).run()
    button(at, "Use in training").click().run()
    assert next(n for n in at.number_input if n.label == "Learning rate").value == float(lr)
    assert f"({rule})" in " ".join(link.proto.label for link in at.get("page_link"))
    # a custom value
    at.query_params["test"] = readable.name
    at.switch_page("pages/lr_finder.py").run()
    next(g for g in at.button_group if "custom" in g.options).set_value("custom").run()
    slider = next(s for s in at.select_slider if s.label == CUSTOM_LR)
    custom_lr = slider.options[40]
    slider.set_value(custom_lr).run()
    assert not at.exception
    button(at, "Use in training").click().run()
    used = next(n for n in at.number_input if n.label == "Learning rate").value
    assert used == pytest.approx(float(custom_lr))
    assert "(custom)" in " ".join(link.proto.label for link in at.get("page_link"))


def test_a_run_records_where_its_learning_rate_is_from(
    tested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_core.jobs.launch.start_worker", lambda run_dir: None)
    origin = LROrigin(tested.name, "valley", 0.05)
    run = read_run(launch_training(tested.parent, small(lr=0.05), lr_from=origin), TrainingRun)
    test = read_run(tested, LRTestRun)
    assert run.request.lr_from == LRSource(
        tested.name,
        "valley",
        0.05,
        model=test.config.model,
        optimizer=test.config.optimizer,
        batch_size=test.config.batch_size,
        precision=test.status.runtime.precision,
        augment=test.config.augment.digest[:12],
    )
    shutil.rmtree(tested)  # the run still shows it
    at = app("train", run=run.run_id)
    label = next(
        link.proto.label for link in at.get("page_link") if "from an LR test" in link.proto.label
    )
    assert "Learning rate 0.05 from an LR test (valley): model convnet" in label
    gone = launch_training(tested.parent, small(lr=0.1), lr_from=LROrigin("gone", "valley", 0.1))
    source = read_run(gone, TrainingRun).request.lr_from
    assert source == LRSource("gone", "valley", 0.1)
    assert not app("train", run=gone.name).exception


def test_a_curve_without_suggestions_leaves_a_custom_value(tested: Path) -> None:
    metrics = tested / "metrics.jsonl"
    lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)
    metrics.write_text("".join(lines[:5]), encoding="utf-8")
    at = app("lr_finder", test=tested.name)
    assert not at.exception
    assert "No suggestion from this curve" in at.info[0].value
    assert [s.label for s in at.select_slider] == [CUSTOM_LR]


def test_a_narrow_range_still_has_a_slider(tested: Path) -> None:
    request = json.loads((tested / "request.json").read_text(encoding="utf-8"))
    request["find"] |= {"start_lr": 0.1, "end_lr": 0.102}
    write_json(tested / "request.json", request)
    (tested / "metrics.jsonl").write_text("", encoding="utf-8")
    at = app("lr_finder", test=tested.name)
    assert not at.exception
    (slider,) = at.select_slider
    assert len(slider.options) == len(set(slider.options)) == 3
