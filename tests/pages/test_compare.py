"""Two models beside each other, through AppTest: what the second fixes and what it breaks."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import open_dataset
from cifar_core.evaluation.metrics import mcnemar_test
from cifar_core.evaluation.predictions import (
    Predictions,
    eval_split,
    load_predictions,
    predictions_path,
    write_predictions,
)
from cifar_core.runs.store import read_run
from tests.apptest import app, texts
from tests.real_jobs import rewrite

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


def evaluated_as(run_dir: Path, seed: int, share: float) -> Predictions:
    """Made-up predictions, correct for about that share of the test images."""
    run, checkpoint = read_run(run_dir), find_checkpoint(run_dir)
    assert run.config is not None
    data = open_dataset(run.config.data)
    examples, random = eval_split(data, run.config, "test"), np.random.default_rng(seed)
    logits = random.normal(size=(len(examples.labels), 10))
    sure = random.random(len(examples.labels)) < share
    logits[sure, examples.labels[sure]] += 8
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    facts = {"run": run.run_id, "data": data.title, "split": "test", **checkpoint.facts}
    write_predictions(predictions_path(run_dir, checkpoint.name, "test"), log_probs, facts)
    return load_predictions(run)


@pytest.fixture
def second(copied: Path, runs: Path) -> Path:
    """Another run of the same data."""
    run_dir = Path(shutil.copytree(copied, runs / "20260102-000000-beef"))
    rewrite(run_dir, run_id=run_dir.name)
    rewrite(run_dir, "name.json", name="second", notes="")
    return run_dir


def compared(first: Path, second: Path) -> AppTest:
    at = app("compare", run=first.name, other=second.name)
    assert not at.exception
    return at


def test_what_is_said_is_what_the_tables_say(copied: Path, second: Path) -> None:
    one, two = evaluated_as(copied, 1, 0.6), evaluated_as(second, 2, 0.7)
    at = compared(copied, second)
    found = mcnemar_test(one.correct, two.correct)
    assert str(found) in texts(at)
    assert found.fixed > found.broken > 0
    assert {m.label: m.value for m in at.metric} == {
        "first": f"{one.acc:.2%}",
        "second": f"{two.acc:.2%}",
    }
    assert f"Fixed ({found.fixed:,})" in texts(at)
    assert f"Broken ({found.broken:,})" in texts(at)
    (chart,) = at.get("plotly_chart")
    change = two.matrix - one.matrix
    assert f"{change.max():+d}" in chart.proto.spec


def test_two_of_the_same_differ_in_nothing(copied: Path, second: Path) -> None:
    evaluated_as(copied, 1, 0.6)
    evaluated_as(second, 1, 0.6)
    assert "not significant" in texts(compared(copied, second))


def test_without_a_second_model_the_next_step_is_named(copied: Path) -> None:
    evaluated_as(copied, 1, 0.6)
    at = app("compare", run=copied.name)
    assert not at.exception
    assert "no second model of the same data" in texts(at)


def test_a_second_that_was_not_evaluated_is_offered_to_be(copied: Path, second: Path) -> None:
    evaluated_as(copied, 1, 0.6)
    at = compared(copied, second)
    assert "**second**" in texts(at)
    assert "was not evaluated on the test images yet" in texts(at)
    assert "Evaluate" in [b.label for b in at.button]


def test_a_model_of_other_data_is_not_offered(copied: Path, second: Path) -> None:
    evaluated_as(copied, 1, 0.6)
    rewrite(second, "status.json", fingerprint="0" * 32)
    assert "no second model of the same data" in texts(app("compare", run=copied.name))
