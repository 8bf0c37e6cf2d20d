"""One press, one run; and what can be done with a run: force, longer, from its weights."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.jobs.launch import extend_run, launch_lr_find
from cifar_core.records.records import ResumeRecord, to_line
from cifar_core.runs.dedup import find_draft
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from cifar_core.system.files import write_json
from pages.ui.training import estimate
from tests.apptest import app, button, in_url, texts
from tests.real_jobs import held, pretend_running, rewrite, small, wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")
DRAFT = "0123456789abcdef"


def start(at: AppTest) -> AppTest:
    return button(at, "Start training").click().run()


def small_form(copied: Path, draft: str) -> AppTest:
    """A form with the settings of a run that takes a second, under a draft id."""
    at = button(app("train", run=copied.name), "Duplicate run").click().run()
    at.query_params["draft"] = draft
    return at.run()


def test_the_draft_id_is_in_the_url_only_once_its_start_was_pressed(copied: Path) -> None:
    at = app("train")
    assert "draft" not in at.query_params, "another entry in the browser's history"
    draft = at.session_state["new_draft"]
    assert at.run().session_state["new_draft"] == draft
    at.query_params["draft"] = DRAFT
    assert in_url(at.run(), "draft") == DRAFT
    at.query_params["draft"] = "../../etc"  # not an id: replaced
    assert "draft" not in at.run().query_params
    rewrite(copied, draft=DRAFT)
    at.query_params["draft"] = DRAFT
    assert "This form was already started." in texts(at.run())
    assert "draft" not in at.query_params


def test_a_form_that_is_started_twice_starts_one_run(copied: Path, runs: Path) -> None:
    first, second = small_form(copied, DRAFT), small_form(copied, DRAFT)  # a duplicated tab
    start(first)
    start(second)
    assert in_url(first, "run") == in_url(second, "run")
    started = [run for run in list_runs(runs) if run.run_id != copied.name]
    assert len(started) == 1
    assert started[0].request.draft == DRAFT
    wait_for(started[0].path, RunState.COMPLETED)


def test_a_started_draft_with_other_settings_is_refused_once(copied: Path, runs: Path) -> None:
    at = small_form(copied, DRAFT)
    rewrite(copied, draft=DRAFT)
    next(n for n in at.number_input if n.label == "Epochs").set_value(1)
    at = start(at)
    assert "was already started as first, with different settings" in at.error[0].value
    assert len(list_runs(runs)) == 1
    at = start(at.run())
    assert len(list_runs(runs)) == 2
    wait_for(runs / in_url(at, "run"), RunState.COMPLETED)


def test_a_press_is_heard_though_the_estimate_redraws_the_page(
    copied: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rerun of the press ends before it comes to the button, as the speed is just measured."""
    at = small_form(copied, DRAFT)
    known, unknown = estimate.known_throughput, [True]
    measuring = SimpleNamespace(poll=lambda: None, terminate=lambda: None)
    monkeypatch.setattr(
        estimate,
        "known_throughput",
        lambda config: None if unknown and unknown.pop() else known(config),
    )
    monkeypatch.setattr(estimate, "start_measuring", lambda config: measuring)
    at = start(at)
    wait_for(runs / in_url(at, "run"), RunState.COMPLETED)
    assert len(list_runs(runs)) == 2


def test_a_run_that_does_not_stop_can_be_force_stopped_after_a_while(copied: Path) -> None:
    pretend_running(copied)
    with held(copied, "running") as process:
        at = button(app("train", run=copied.name), "Stop").click().run()
        assert [b for b in at.button if b.label == "Force stop"] == []
        write_json(copied / "stop", {"requested": time.time() - 11})
        button(app("train", run=copied.name), "Force stop").click().run()
        assert process.wait(10) == -9
        wait_for(copied, RunState.INTERRUPTED)  # its lock is let go a moment later
    at = app("train", run=copied.name)
    assert "Force-stopped by user" in at.error[0].value
    assert button(at, "Resume")


def test_a_completed_run_is_trained_longer_as_a_new_one(copied: Path, runs: Path) -> None:
    at = button(app("train", run=copied.name), "Train longer").click().run()
    epochs = next(n for n in at.number_input if n.label == "Total epochs")
    assert (epochs.min, epochs.value) == (3, 4)
    assert button(at, "Start")  # AppTest runs no dialog; the browser test presses it
    longer = wait_for(
        extend_run(read_run(copied, TrainingRun), 3), RunState.COMPLETED, kind=TrainingRun
    )
    assert longer.request.extends == copied.name
    assert longer.name == "first-1"
    at = app("train", run=longer.run_id)
    assert f"Extended from run {copied.name}" in texts(at)
    assert {m.label: m.value for m in at.metric}["Epoch"] == "3 / 3"
    assert read_run(copied, TrainingRun).state is RunState.COMPLETED


def test_the_form_offers_the_weights_of_runs_of_the_same_model(copied: Path) -> None:
    at = button(app("train", run=copied.name), "Fine-tune from this run").click().run()
    weights = next(s for s in at.selectbox if s.label == "Initialization")
    assert weights.value == str(find_checkpoint(copied).path)
    assert weights.options[0] == "Random"
    assert weights.options[1].startswith("first, best · ")
    next(s for s in at.selectbox if s.label == "Model").set_value("sepnet_v1")
    assert not at.run().exception


def test_a_resume_is_marked_in_the_curves(copied: Path) -> None:
    lines = (copied / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    mark = to_line(ResumeRecord(2, 4, "It went on with threads 4 instead of 2."))
    where = next(n for n, line in enumerate(lines) if b'"epoch"' in line[:20])
    (copied / "metrics.jsonl").write_bytes(
        b"".join([*lines[: where + 1], mark, *lines[where + 1 :]])
    )
    at = app("train", run=copied.name)
    assert "Resumed after step 4. It went on with threads 4 instead of 2." in texts(at)
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    shapes = [s for s in figure["layout"]["shapes"] if s["line"]["dash"] == "dash"]
    assert len(shapes) == 1
    assert "resumed" in [a["text"] for a in figure["layout"]["annotations"]]


def test_a_completed_run_shows_its_duration_beside_the_forecast(copied: Path) -> None:
    forecast = {
        "seconds": 120.0,
        "memory_bytes": 500_000_000,
        "disk_bytes": 7_000_000,
        "eval_s": 1.0,
    }
    rewrite(copied, forecast=forecast)
    rewrite(copied, "status.json", elapsed=60.0)
    text = texts(app("train", run=copied.name))
    assert "Duration 60 s (forecast 2 min, -50%)" in text
    assert "(forecast 500 MB)" in text
    assert "(forecast 7 MB)" in text


def test_the_lr_test_of_one_draft_is_started_once(runs: Path) -> None:
    find = LRTestConfig()
    first, second = (launch_lr_find(runs, small(), find, DRAFT) for _ in range(2))
    assert first == second
    assert find_draft(runs, "") is None
    assert wait_for(first, RunState.COMPLETED).kind == "lr_find"
    at = app("lr_finder", draft=DRAFT)
    assert "This form was already started" in texts(at)
    assert "draft" not in at.query_params
