"""Every figure of an evaluation, computed once more by others' code on 3,000 made-up images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)
from sklearn.neighbors import NearestNeighbors
from torchvision.transforms.functional import normalize as torchvision_normalize

from cifar_core.augment.kernels import normalize
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.evaluation.features import neighbors
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.history import History
from cifar_core.evaluation.metrics import (
    NUM_BINS,
    calibration,
    per_class_accuracy,
    precision_recall_f1,
    topk_accuracy,
)
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from tests.builders import manifest_of

NUM, CLASSES = 3000, tuple("abcdefghij")


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    """Predictions that are right for about half of the images."""
    random = np.random.default_rng(7)
    labels = random.integers(0, 10, NUM).astype(np.uint8)
    logits = random.normal(0, 1.5, (NUM, 10)) + 2 * np.eye(10)[labels]
    log_probs = torch.log_softmax(torch.from_numpy(logits), dim=1).float().numpy()
    images = np.zeros((1, 32, 32, 3), np.uint8)
    examples = EvalSplit("test", CLASSES, "f", images, labels, np.arange(NUM))
    note = PredictionsNote.of("run", Checkpoint(Path("best-1"), manifest_of()), "test", flip=False)
    return Predictions(log_probs, examples, Checkpoint(Path("best-1"), manifest_of()), note)


def test_accuracies_losses_and_the_matrix(predictions: Predictions) -> None:
    labels, probs = predictions.examples.labels, np.exp(predictions.log_probs.astype(np.float64))
    assert predictions.acc == pytest.approx(accuracy_score(labels, predictions.predicted))
    assert np.array_equal(predictions.matrix, confusion_matrix(labels, predictions.predicted))
    mean_loss = log_loss(labels, probs / probs.sum(axis=1, keepdims=True))
    assert predictions.losses.mean() == pytest.approx(mean_loss, rel=1e-6)
    for k in (1, 2, 5):
        theirs = top_k_accuracy_score(labels, predictions.log_probs, k=k)
        assert topk_accuracy(predictions.log_probs, labels, k) == pytest.approx(theirs)
    recalls = per_class_accuracy(predictions.matrix)
    theirs = balanced_accuracy_score(labels, predictions.predicted)
    assert recalls.mean() == pytest.approx(theirs)
    scores = precision_recall_fscore_support(labels, predictions.predicted)[:3]
    assert precision_recall_f1(predictions.matrix) == pytest.approx(np.array(scores))


def test_the_reliability_diagram(predictions: Predictions) -> None:
    ours = calibration(predictions.confidence, predictions.correct)
    acc, confidence = calibration_curve(
        predictions.correct, predictions.confidence, n_bins=NUM_BINS, strategy="uniform"
    )
    filled = ours.counts > 0
    assert ours.acc[filled] == pytest.approx(acc)
    assert ours.confidence[filled] == pytest.approx(confidence)
    weighted = np.average(np.abs(acc - confidence), weights=ours.counts[filled])
    assert ours.error == pytest.approx(weighted)


def test_nearest_neighbors() -> None:
    features = np.random.default_rng(8).normal(size=(500, 32)).astype(np.float32)
    search = NearestNeighbors(n_neighbors=13, metric="cosine").fit(features)
    distances, found = search.kneighbors(features[:5])
    for row in range(5):
        ours = neighbors(features, row, 12)
        assert [other for other, _ in ours] == found[row, 1:].tolist()
        assert [alike for _, alike in ours] == pytest.approx(1 - distances[row, 1:], abs=1e-5)


def test_normalization() -> None:
    pixels = torch.randint(0, 256, (6, 32, 32, 3), generator=torch.Generator().manual_seed(0))
    mean, std = torch.tensor([0.49, 0.48, 0.45]), torch.tensor([0.25, 0.24, 0.26])
    theirs = torchvision_normalize(pixels.permute(0, 3, 1, 2) / 255, mean.tolist(), std.tolist())
    torch.testing.assert_close(normalize(pixels.byte(), mean, std), theirs, atol=2e-6, rtol=0)


def textbook_events(right: NDArray[np.bool_]) -> tuple[int, int]:
    """Forgetting events and the epoch of learning of one image, as the paper defines them."""
    events, learned = 0, 0
    for epoch in range(1, len(right)):
        events += bool(right[epoch - 1]) and not right[epoch]
    for epoch in range(len(right), 0, -1):
        if not right[epoch - 1]:
            break
        learned = epoch
    return events, learned


def test_forgetting_events_and_learning(predictions: Predictions) -> None:
    random, labels = np.random.default_rng(9), predictions.examples.labels
    right = random.random((12, NUM)) < np.linspace(0.2, 0.9, 12)[:, None]
    predicted = np.where(right, labels, (labels + 1) % 10).astype(np.uint8)
    history = History(
        predictions.examples, np.arange(1, 13), predicted, np.zeros((12, NUM), np.float16)
    )
    by_hand = [textbook_events(right[:, image]) for image in range(NUM)]
    assert list(zip(history.forgetting_events, history.learned, strict=True)) == by_hand
