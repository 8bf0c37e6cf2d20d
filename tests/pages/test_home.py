"""Home: a trained model and what it got wrong, the machine in a line, Train a model now."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.evaluation.available import load_predictions
from cifar_core.report.card import read_card
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from pages.ui.home.showcase import find_showcase, shipped_cards
from pages.ui.session.messages import plain
from tests.apptest import app, button, texts
from tests.real_jobs import held, pretend_running, rewrite

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


def drawn_matrix(at: AppTest) -> list[str]:
    """The counts on the confusion matrix."""
    (chart,) = at.get("plotly_chart")
    spec = json.loads(chart.proto.spec)  # pyright: ignore[reportAttributeAccessIssue] # AppTest has no type for plots
    return [text for trace in spec["data"] for text in trace.get("text", [])]


def html(at: AppTest) -> str:
    return "".join(part.proto.body for part in at.get("html"))  # pyright: ignore[reportAttributeAccessIssue] # nor for HTML


def links(at: AppTest) -> Counter[str]:
    return Counter(part.proto.label for part in at.get("page_link"))  # pyright: ignore[reportAttributeAccessIssue] # nor for links


def test_a_shipped_run_is_shown_at_once(shipped: TrainingRun, runs: Path) -> None:
    at = app()
    card = read_card(shipped.path)
    assert card is not None
    assert not at.exception
    assert f"first: {card.test_acc:.2%} test accuracy" in at.subheader[0].value
    assert "came with the app" in texts(at)
    counts = [f"{value:,}" for row in card.matrix for value in row]
    assert drawn_matrix(at) == counts
    assert html(at).count("<figure") == 9
    assert html(at).count("<img") == 9  # three errors: image and two maps
    surest = load_predictions(shipped)
    row = surest.rows()[surest.confidence[surest.rows()].argmax()]
    true, predicted = (
        card.classes[k] for k in (surest.examples.labels[row], surest.predicted[row])
    )
    label = f"Predicted {predicted} ({surest.confidence[row]:.0%}), is {true}"
    assert links(at)[label] >= 1
    assert {"Try your own picture", "All errors", "Customize"} <= set(links(at))
    assert not runs.exists()  # looking writes nothing


def test_without_its_data_maps_and_matrix_are_shown_alone(
    shipped: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(shipped.path.parent, tmp_path / "shipped"))
    rewrite(folder / shipped.run_id, config={**json_config(shipped), "data": "cifar10"})
    monkeypatch.setenv("CIFAR_SHIPPED", str(folder))
    at = app()
    assert not at.exception
    assert html(at).count("image needs CIFAR-10") == 3
    assert html(at).count("<img") == 6
    assert len(drawn_matrix(at)) == 100
    assert "Download" in {b.label for b in at.button}


def json_config(run: TrainingRun) -> dict[str, object]:
    return run.config.model_dump(mode="json")


def test_ones_own_evaluated_run_comes_first(evaluated: Path, shipped_once: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_SHIPPED", str(shipped_once))
        at = app()
    assert not at.exception
    assert "your newest run" in texts(at)
    predictions = load_predictions(read_run(evaluated, TrainingRun))
    assert drawn_matrix(at) == [f"{value:,}" for value in np.ravel(predictions.matrix)]
    assert html(at).count("<img") == 9
    assert "came with the app" in texts(at)  # in the list below


@pytest.mark.parametrize(("is_here", "title"), [(True, "CIFAR-10"), (False, "Shapes-10")])
def test_photographs_come_before_shapes_where_they_are_here(
    is_here: bool, title: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those in the repository; the one on Shapes-10 has the higher accuracy."""
    monkeypatch.delenv("CIFAR_SHIPPED")
    monkeypatch.setattr("pages.ui.home.showcase.is_ready", lambda data: is_here)
    listed = list_runs(runs)
    cards = shipped_cards(listed)
    shown = find_showcase(listed, cards)
    assert shown is not None
    assert cards[shown.run.run_id].data == title


@pytest.mark.parametrize(
    ("state", "said"), [("found", "CIFAR-10 not imported"), ("missing", "CIFAR-10 missing")]
)
def test_data_that_were_found_are_not_called_missing(
    state: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.ui.session.cache.cifar10_state", lambda: (state, ""))
    assert said in texts(app())


def test_a_damaged_card_hides_no_other(shipped: TrainingRun, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped.path.parent, tmp_path / "shipped"))
    (folder / shipped.run_id / "card.json").write_text('{"format": 99}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_SHIPPED", str(folder))
        at = app()
    assert not at.exception
    assert not at.get("plotly_chart")


def test_a_name_that_looks_like_markdown_is_shown_as_it_is(copied: Path) -> None:
    rewrite(copied, "name.json", name="*bold* [link](http://x)")
    pretend_running(copied)
    with held(copied, "running"):
        at = app()
    shown = [label for label in links(at) if "epoch" in label]
    assert shown == [f"{plain('*bold* [link](http://x)')}: epoch 2 of 2"]


def test_train_a_model_now_starts_one_run_and_opens_it(runs: Path) -> None:
    at = app()
    button(at, "Train a model now").click().run()
    assert not at.exception
    (run,) = list_runs(runs)
    assert (run.config.model, run.config.data) == ("convnet", "shapes10")
    assert run.config.epochs == 5  # 60 s at the speed of `known_speeds`
    assert at.title[0].value == run.name
