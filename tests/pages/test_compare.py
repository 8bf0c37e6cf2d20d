"""Two models compared, through AppTest: errors fixed and errors added."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import open_dataset
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.metrics import mcnemar_test
from cifar_core.evaluation.predictions import (
    Predictions,
    eval_split,
    predictions_path,
    write_predictions,
)
from cifar_core.runs.store import TrainingRun, read_run
from tests.apptest import app, opened_again, texts
from tests.real_jobs import rewrite

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


def evaluated_as(run_dir: Path, seed: int, share: float) -> Predictions:
    """Made-up predictions, correct for about that share of the test images."""
    run, checkpoint = read_run(run_dir, TrainingRun), find_checkpoint(run_dir)
    data = open_dataset(run.config.data)
    examples, random = eval_split(data, run.config, "test"), np.random.default_rng(seed)
    logits = random.normal(size=(len(examples.labels), 10))
    correct = random.random(len(examples.labels)) < share
    logits[correct, examples.labels[correct]] += 8
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    note = PredictionsNote.of(run.run_id, checkpoint, "test", flip=False)
    write_predictions(predictions_path(run_dir, checkpoint.name, "test"), log_probs, note)
    return load_predictions(run)


def another(copied: Path) -> Path:
    """A second run on the same data."""
    run_dir = Path(shutil.copytree(copied, copied.parent / "20260102-000000-beef"))
    rewrite(run_dir, run_id=run_dir.name)
    rewrite(run_dir, "name.json", name="second", notes="")
    return run_dir


def test_the_numbers_are_those_of_the_predictions(copied: Path) -> None:
    second = another(copied)
    one = evaluated_as(copied, 1, 0.6)
    at = app("compare", run=copied.name, other=second.name)
    assert not at.exception
    assert "has not been evaluated" not in texts(at)  # training has kept its predictions
    shutil.rmtree(second / "epochs")
    opened_again(at, "compare", copied.name, other=second.name)
    assert "**second**" in texts(at)
    assert "has not been evaluated on the test images yet" in texts(at)
    assert "Evaluate" in [b.label for b in at.button]

    same = evaluated_as(second, 1, 0.6)
    opened_again(at, "compare", copied.name, other=second.name)
    assert str(mcnemar_test(one.correct, same.correct)) in texts(at)

    two = evaluated_as(second, 2, 0.7)
    opened_again(at, "compare", copied.name, other=second.name)
    test = mcnemar_test(one.correct, two.correct)
    assert str(test) in texts(at)
    assert test.fixed > test.broken > 0
    assert {m.label: m.value for m in at.metric} == {
        "first": f"{one.acc:.2%}",
        "second": f"{two.acc:.2%}",
    }
    assert f"Fixed ({test.fixed:,})" in texts(at)
    assert f"Broken ({test.broken:,})" in texts(at)
    (chart,) = at.get("plotly_chart")
    change = two.matrix - one.matrix
    assert f"{change.max():+d}" in chart.proto.spec


def test_without_a_second_model_on_the_same_data_the_next_step_is_named(copied: Path) -> None:
    evaluated_as(copied, 1, 0.6)
    at = app("compare", run=copied.name)
    assert not at.exception
    assert "No other model was trained on this data yet" in texts(at)
    rewrite(another(copied), "status.json", fingerprint="0" * 32)
    opened_again(at, "compare", copied.name)
    assert "No other model was trained on this data yet" in texts(at)
