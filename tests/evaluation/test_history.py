"""Predictions over the epochs: by hand, and as a real run stores them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import Dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.history import (
    History,
    epoch_predictions,
    load_history,
    probabilities_over_epochs,
    write_epoch_predictions,
)
from cifar_core.evaluation.metrics import confusion_matrix
from cifar_core.evaluation.predictions import EvalSplit, to_float16
from cifar_core.records.records import read_metrics
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.files import read_npz
from tests.builders import config_of, epochs_of, set_up, trained

R, W = 0, 1  # predictions that are right and wrong, as every label is 0


def by_hand() -> History:
    """Five images over four epochs; the third epoch's file was lost."""
    predictions = np.array(
        [
            [R, W, W, R, W],
            [R, R, W, W, R],
            [R, W, W, R, R],
            [R, R, W, W, R],
        ],
        np.uint8,
    )
    losses = np.where(predictions == R, 0.25, 2.0).astype(np.float16)
    losses[3, 3] = 8.0  # changed most
    images, labels = np.zeros((5, 32, 32, 3), np.uint8), np.zeros(5, np.uint8)
    examples = EvalSplit("test", ("ant", "bee"), "f", images, labels, np.arange(5))
    return History(examples, np.array([1, 2, 4, 5]), predictions, losses)


def test_an_image_is_learned_once_it_stays_right() -> None:
    assert by_hand().learned.tolist() == [1, 5, 0, 0, 2]


def test_forgetting_is_right_and_then_wrong() -> None:
    assert by_hand().forgetting_events.tolist() == [0, 1, 0, 2, 0]


def test_a_history_that_begins_late_says_or_earlier() -> None:
    history = by_hand()
    late = replace(history, epochs=history.epochs + 50)
    assert late.learning_summary(0) == "Learned at epoch 51 or earlier, never forgotten."
    assert late.learning_summary(4) == "Learned at epoch 52, never forgotten."
    assert not late.is_whole
    assert not history.is_whole  # the third is missing
    assert replace(history, epochs=np.arange(1, 5)).is_whole


def test_fixed_and_broken_images_come_by_change_of_loss() -> None:
    history = by_hand()
    fixed, broken = history.changes(3)
    assert (fixed.tolist(), broken.tolist()) == ([1], [3])
    assert [rows.tolist() for rows in history.changes(1)] == [[1, 4], [3]]
    assert [rows.tolist() for rows in history.changes(0)] == [[], []]


def test_the_learning_summary_is_a_sentence() -> None:
    sentences = [by_hand().learning_summary(row) for row in range(5)]
    assert sentences == [
        "Learned at epoch 1, never forgotten.",
        "Learned at epoch 5, forgotten once.",
        "Never correct in 4 epochs.",
        "Correct after 2 of 4 epochs, but not after the last.",
        "Learned at epoch 2, never forgotten.",
    ]


def test_figures_of_an_epoch_are_those_of_its_predictions() -> None:
    history = by_hand()
    assert history.acc.tolist() == [0.4, 0.6, 0.6, 0.6]
    for place in range(4):
        expected = confusion_matrix(history.examples.labels, history.predicted[place], 2)
        assert (history.matrix(place) == expected).all()
    assert history.per_class_accuracy[:, 0].tolist() == history.acc.tolist()
    assert np.isnan(history.per_class_accuracy[:, 1]).all()


def test_the_engine_hands_over_what_its_figures_are_of(tiny: Dataset) -> None:
    state, records = trained(config_of(), tiny)
    assert state.test_log_probs is not None
    log_probs, labels = state.test_log_probs, tiny.test.labels
    last = epochs_of(records)[-1]
    assert (log_probs.argmax(axis=1) == labels).mean() == pytest.approx(last.test_acc)
    assert -log_probs[np.arange(30), labels].mean() == pytest.approx(last.test_loss, abs=1e-5)
    assert set_up(config_of(), tiny)[0].test_log_probs is None


def test_a_run_keeps_every_epoch_and_its_figures_equal_the_curve(finished: Path) -> None:
    run = read_run(finished, TrainingRun)
    history, epochs = load_history(run), read_metrics(finished / "metrics.jsonl").epochs
    assert history.epochs.tolist() == [epoch.epoch for epoch in epochs] == [1, 2]
    assert history.acc.tolist() == pytest.approx([epoch.test_acc for epoch in epochs])
    mean = history.losses.astype(np.float64).mean(axis=1)
    assert mean.tolist() == pytest.approx([epoch.test_loss for epoch in epochs], abs=2e-3)


def test_probabilities_of_an_image_are_those_of_each_epoch(finished: Path) -> None:
    run = read_run(finished, TrainingRun)
    history = load_history(run)
    epochs, probs = probabilities_over_epochs(run, history.examples, 17)
    assert epochs.tolist() == history.epochs.tolist()
    assert probs.sum(axis=1).tolist() == pytest.approx([1, 1], abs=0.01)
    assert probs.argmax(axis=1).tolist() == history.predicted[:, 17].tolist()


def test_a_damaged_epoch_is_left_out(copied: Path) -> None:
    first, second = epoch_files(copied)
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1  # the zip's own sum tells
    first.write_bytes(content)
    assert load_history(read_run(copied, TrainingRun)).epochs.tolist() == [2]
    second.write_bytes(b"")
    with pytest.raises(RunError, match="no readable predictions per epoch"):
        load_history(read_run(copied, TrainingRun))


def test_no_flipped_bit_in_a_file_is_an_exception(finished: Path, tmp_path: Path) -> None:
    (content,) = (epoch_files(finished)[0].read_bytes(),)
    generator, path = np.random.default_rng(0), tmp_path / "x.npz"
    places = [*range(200), *range(len(content) - 400, len(content))]
    found = 0
    for place in [*places, *generator.integers(0, len(content), 100)]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        found += read_npz(path) is not None
    assert found < len(places) // 2  # a zip keeps some fields twice, and times that do not matter


def test_epochs_of_other_data_are_left_out(copied: Path) -> None:
    size = len(load_history(read_run(copied, TrainingRun)).examples.labels)
    write_epoch_predictions(copied, 2, np.zeros((size, 10), np.float32), "of other data")
    write_epoch_predictions(copied, 3, np.zeros((size, 9), np.float32), "of fewer classes")
    assert load_history(read_run(copied, TrainingRun)).epochs.tolist() == [1]


def test_rounding_changes_no_prediction(tmp_path: Path) -> None:
    said = np.log(np.array([[0.50001, 0.49999], [0.49999, 0.50001]], np.float32))
    write_epoch_predictions(tmp_path, 1, said, "f")
    with np.load(epoch_files(tmp_path)[0]) as file:
        assert file["log_probs"].argmax(axis=1).tolist() == [0, 1]
        assert (file["log_probs"] == to_float16(said)).all()


def test_predictions_of_a_checkpoint_are_those_that_the_run_kept_of_its_epoch(copied: Path) -> None:
    run, last = read_run(copied, TrainingRun), find_checkpoint(copied, "last")
    predictions = epoch_predictions(run, last)
    stored = read_npz(epoch_files(copied)[-1])
    assert stored is not None
    assert np.array_equal(predictions.log_probs, stored["log_probs"].astype(np.float32))
    assert predictions.log_probs.dtype == np.float32
    assert predictions.acc == pytest.approx(last.manifest.figures.test_acc, abs=1e-3)
    assert str(predictions).endswith(f"images of Shapes-10, {last.name} (epoch 2)")
    epoch_files(copied)[-1].unlink()
    with pytest.raises(RunError, match="first has no predictions of epoch 2"):
        epoch_predictions(run, last)
