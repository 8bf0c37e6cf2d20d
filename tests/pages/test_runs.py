"""Runs beside each other: the list and its filter, the table, the curves, what is drawn behind."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config.train import make_config
from cifar_core.data import open_dataset
from cifar_core.plots import REFERENCES
from cifar_core.runs.store import read_run
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


def test_runs_stand_side_by_side_with_results_and_what_differs(second: Path) -> None:
    at = app("runs")
    rows = side_by_side(at)
    assert rows["lr"] == ["0.025", "0.1"] or rows["lr"] == ["0.1", "0.025"]
    assert rows["State"] == ["completed", "completed"]
    assert rows["Test accuracy"][0] == rows["Test accuracy"][1] != "–"
    assert "epochs" not in rows
    at.toggle(key="all-settings").set_value(True).run()
    assert side_by_side(at)["epochs"] == [str(SMALL["epochs"])] * 2
    assert not at.exception


@pytest.mark.parametrize(
    ("words", "found"),
    [("second", {"second"}), ("RATE low", {"second"}), ("convnet", {"first", "second"})],
)
def test_the_list_is_filtered_by_words(second: Path, words: str, found: set[str]) -> None:
    at = app("runs")
    at.text_input(key="runs-filter").set_value(words).run()
    assert set(at.dataframe[0].value["Name"]) == found
    assert f"{len(found)} runs" in texts(at)


def test_a_filter_that_nothing_passes_says_so(second: Path) -> None:
    at = app("runs")
    at.text_input(key="runs-filter").set_value("first second").run()
    assert "No run has all these words. Take some away." in texts(at)
    assert not at.dataframe
    assert not at.exception


def test_other_runs_are_drawn_behind_one(copied: Path, second: Path) -> None:
    at = app("train", run=copied.name)
    assert names_drawn(at) == {"train", "val", "test"}
    at.multiselect(key=f"others-{copied.name}").set_value([second.name]).run()
    assert names_drawn(at) == {"first", "second"}
    assert not at.exception


def test_published_results_are_offered_for_cifar_10_alone(copied: Path) -> None:
    assert not [t for t in app("train", run=copied.name).toggle if "Published" in t.label]
    rewrite(copied, "status.json", data_title="CIFAR-10")
    at = app("train", run=copied.name)
    next(t for t in at.toggle if "Published" in t.label).set_value(True).run()
    drawn = {shape["y0"] for f in figures(at) for shape in f["layout"].get("shapes", [])}
    assert {reference.acc for reference in REFERENCES} <= drawn


def test_axes_change_what_the_curves_run_over(copied: Path) -> None:
    at = app("train", run=copied.name)
    for axis, title in (("step", "Step"), ("time", "Minutes"), ("epoch", "Epoch")):
        at.segmented_control(key=f"axis-{copied.name}").set_value(axis).run()
        layouts = [figure["layout"] for figure in figures(at)[:2]]
        assert [layout["title"]["text"] for layout in layouts] == ["Loss", "Accuracy"]
        assert [layout["xaxis"]["title"]["text"] for layout in layouts] == [title] * 2
    assert not at.exception


def test_a_batch_is_drawn_again_as_the_model_saw_it(copied: Path) -> None:
    run = read_run(copied)
    assert run.config is not None
    at = app("train", run=run.run_id)
    next(t for t in at.toggle if t.label == "Draw it again").set_value(True).run()
    assert not at.exception
    drawn = " ".join(element.proto.body for element in at.get("html"))
    pixels, _ = redraw(run.config, open_dataset(run.config.data), 0, 0)
    assert drawn.count("<img") == len(pixels)
    assert all(data_uri(image) in drawn for image in pixels)
    next(n for n in at.number_input if n.label == "Batch, from 0").set_value(1).run()
    later = " ".join(element.proto.body for element in at.get("html"))
    assert data_uri(pixels[0]) not in later
