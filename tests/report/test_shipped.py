"""The runs in `checkpoints/shipped`: small, readable, and as good as their cards say."""

from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import open_dataset
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.predictions import EvalSplit, eval_split
from cifar_core.evaluation.predictor import Predictor
from cifar_core.explain.error_maps import read_error_maps
from cifar_core.explain.road import load_ranking
from cifar_core.report.card import ModelCard, read_card
from cifar_core.runs.files import Status
from cifar_core.runs.folders import run_dirs
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from cifar_core.system.paths import repository

SHIPPED = repository() / "checkpoints" / "shipped"
CARDS = {path.parent.name: read_card(path.parent) for path in sorted(SHIPPED.glob("*/card.json"))}
TRAININGS = list(CARDS)
MAX_BYTES = 60_000_000  # of all; of one file that the Hub takes without LFS:
MAX_FILE_BYTES = 9_000_000
# What bf16 instead of fp32 may do: 45 of 10,000 predictions changed when even the last layer was
# computed in it, and the accuracy by less than a tenth of that.
MAX_CHANGED, MAX_ACC_CHANGED = 0.01, 0.003


@pytest.fixture(autouse=True)
def shipped_with_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_SHIPPED", str(SHIPPED))


def card_of(run: TrainingRun) -> ModelCard:
    card = read_card(run.path)
    assert card is not None
    return card


def test_they_are_small_and_all_readable(runs: Path) -> None:
    sizes = [path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(sizes) <= MAX_BYTES
    assert max(sizes) <= MAX_FILE_BYTES
    trainings, jobs = list_runs(runs), list_runs(runs, AnalysisJob)
    assert sorted(run.run_id for run in trainings) == TRAININGS
    assert len(trainings) + len(jobs) == len(run_dirs(SHIPPED))
    assert {job.request.run for job in jobs} == set(TRAININGS)
    assert all(load_ranking(job.path).ranked for job in jobs)
    for run in trainings:
        assert run.status == Status(**{**vars(run.status), "worker": None, "traceback": ""})
        assert (run.path / "README.md").read_text().count(f"{card_of(run).test_acc:.2%}") == 1


@pytest.mark.parametrize("name", TRAININGS)
def test_card_curves_and_maps_agree(name: str) -> None:
    run = read_run(SHIPPED / name, TrainingRun)
    card, checkpoint = card_of(run), find_checkpoint(run.path)
    matrix, maps = np.array(card.matrix), read_error_maps(run.path)
    assert card.test_acc == pytest.approx(np.trace(matrix) / matrix.sum())
    assert card.checkpoint == checkpoint.name
    assert maps.weights == checkpoint.weights_sha256
    assert (maps.true != maps.predicted).all()
    assert (np.diff(maps.confidence) <= 0).all()
    if figures := run.figures:  # of the weights before they were rounded to float16
        assert abs(figures.test_acc - card.test_acc) < 0.003


def check_again(run: TrainingRun, examples: EvalSplit, num_images: int) -> None:
    """What the weights say here is what is stored."""
    stored, predictor = load_predictions(run), Predictor(find_checkpoint(run.path), run.config)
    rows = np.arange(min(num_images, len(examples.labels)))
    parts = np.array_split(rows, -(-len(rows) // predictor.batch_size))
    again = np.concatenate([predictor(examples.pixels(part)) for part in parts])
    changed = (again.argmax(axis=1) != stored.predicted[rows]).mean()
    assert changed <= MAX_CHANGED
    acc = (again.argmax(axis=1) == examples.labels[rows]).mean()
    assert abs(acc - stored.correct[rows].mean()) <= MAX_ACC_CHANGED
    assert stored.acc == card_of(run).test_acc


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.real_data if card and card.data == "CIFAR-10" else ())
        for name, card in CARDS.items()
    ],
)
def test_weights_give_the_figures_of_the_card_again(
    name: str, request: pytest.FixtureRequest
) -> None:
    """All images under --full, else some of them."""
    run = read_run(SHIPPED / name, TrainingRun)
    if run.config.data != "shapes10":
        request.getfixturevalue("real_cifar10")
    examples = eval_split(open_dataset(run.config.data), run.config, "test")
    full = request.config.getoption("--full", default=False)
    check_again(run, examples, len(examples.labels) if full else 500)
