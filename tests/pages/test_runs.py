"""Runs: the table and its filter, the comparison, chart options, batch replay."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config.train import make_config
from cifar_core.data import open_dataset
from cifar_core.plots import REFERENCES
from cifar_core.records.records import read_metrics
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.training.batches import redraw
from pages.ui.components.images import data_uri
from tests.apptest import app, texts
from tests.real_jobs import SMALL, rewrite

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


@pytest.fixture
def second(copied: Path, runs: Path) -> Path:
    """Another run beside the first, of another learning rate."""
    run_dir = Path(shutil.copytree(copied, runs / "20260102-000000-beef"))
    config = make_config({**SMALL, "lr": 0.025}).model_dump(mode="json")
    rewrite(run_dir, run_id=run_dir.name, config=config)
    rewrite(run_dir, "name.json", name="second", notes="a low rate")
    return run_dir


def figures(at: AppTest) -> list[Any]:
    """What Plotly draws, as it goes to the browser."""
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]  # pyright: ignore[reportAttributeAccessIssue] # AppTest has no type for plots


def names_drawn(at: AppTest) -> set[str]:
    return {
        trace["legendgroup"] for f in figures(at) for trace in f["data"] if "legendgroup" in trace
    }


def side_by_side(at: AppTest) -> dict[str, list[str]]:
    """The table under the curves: its rows by their labels."""
    table = at.dataframe[1].value
    return {row[0]: list(row[1:]) for row in table.itertuples(index=False)}


def test_runs_are_listed_filtered_and_compared(second: Path) -> None:
    at = app("runs")
    # results and the settings that differ
    rows = side_by_side(at)
    assert rows["lr"] == ["0.025", "0.1"] or rows["lr"] == ["0.1", "0.025"]
    assert rows["State"] == ["completed", "completed"]
    assert rows["Test accuracy"][0] == rows["Test accuracy"][1] != "–"
    assert "epochs" not in rows
    at.toggle(key="all-settings").set_value(True).run()
    assert side_by_side(at)["epochs"] == [str(SMALL["epochs"])] * 2
    # the filter
    for words, names in (
        ("second", {"second"}),
        ("RATE low", {"second"}),
        ("convnet", {"first", "second"}),
    ):
        at.text_input(key="runs-filter").set_value(words).run()
        assert set(at.dataframe[0].value["Name"]) == names, words
        assert ("2 runs, " if len(names) == 2 else "1 run, ") in texts(at), words
    at.text_input(key="runs-filter").set_value("first second").run()
    assert "No matching runs. Remove some words from the filter." in texts(at)
    assert not at.dataframe
    assert not at.exception


def test_the_page_of_a_finished_run_shows_its_errors_and_settings(copied: Path) -> None:
    at = app("train", run=copied.name)
    assert not at.exception
    assert "Most confident errors" in texts(at)
    table = at.dataframe[0].value.set_index("Setting")
    assert table.loc["Batch size", "Value"] == str(SMALL["batch_size"])
    assert table.loc["Batch size", "Default"] == "128"
    assert table.loc["Momentum", "Default"] == ""
    shutil.rmtree(copied / "epochs")
    assert "Most confident errors" not in texts(at.run())


def test_chart_options(copied: Path, second: Path) -> None:
    at = app("train", run=copied.name)
    assert names_drawn(at) == {"train", "val", "test"}
    # the x axis
    positions = set()
    for axis in ("step", "time", "epoch"):
        at.segmented_control(key=f"axis-{copied.name}").set_value(axis).run()
        titles = [figure["layout"]["title"]["text"] for figure in figures(at)[:2]]
        assert titles[0].startswith("Loss")
        assert titles[1].startswith("Accuracy")
        positions.add(str(figures(at)[0]["data"][0]["x"]))
    assert len(positions) == 3
    # smoothing and the CSV of all records
    next(s for s in at.slider if s.label == "Smoothing").set_value(0.9).run()
    assert not at.exception
    assert at.get("download_button")
    epochs = read_metrics(copied / "metrics.jsonl").epochs
    assert 0 < epochs[0].elapsed_s < epochs[1].elapsed_s < 600
    # another run in the same charts
    at.multiselect(key=f"others-{copied.name}").set_value([second.name]).run()
    assert names_drawn(at) == {"first", "second"}
    assert not at.exception


def test_published_results_are_offered_for_cifar_10_alone(copied: Path) -> None:
    at = app("train", run=copied.name)
    assert not [t for t in at.toggle if "Published" in t.label]
    rewrite(copied, "status.json", data_title="CIFAR-10")
    at.run()
    next(t for t in at.toggle if "Published" in t.label).set_value(True).run()
    drawn = {shape["y0"] for f in figures(at) for shape in f["layout"].get("shapes", [])}
    assert {reference.acc for reference in REFERENCES} <= drawn


def test_a_training_batch_is_replayed(copied: Path) -> None:
    run = read_run(copied, TrainingRun)
    at = app("train", run=run.run_id)
    next(t for t in at.toggle if t.label == "Show batch").set_value(True).run()
    assert not at.exception
    drawn = " ".join(element.proto.body for element in at.get("html"))
    pixels, _ = redraw(run.config, open_dataset(run.config.data), 0, 0)
    assert drawn.count("<img") == len(pixels)
    assert all(data_uri(image) in drawn for image in pixels)
    next(n for n in at.number_input if n.label == "Batch (from 0)").set_value(1).run()
    later = " ".join(element.proto.body for element in at.get("html"))
    assert data_uri(pixels[0]) not in later
