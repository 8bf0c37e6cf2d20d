"""Labels in doubt: those that were changed by hand are found, and only as a hint."""

import numpy as np

from cifar_core.evaluation.label_issues import find_label_issues
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from tests.evaluation.test_predictions import CHECKPOINT, NOTE


def table_with(labels: np.ndarray, classes: np.ndarray) -> Predictions:
    """A model that is sure of `classes`, more or less, and what is written on the images."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(len(classes), 4)) + 9 * np.eye(4)[classes]
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    images = np.zeros((len(labels), 32, 32, 3), np.uint8)
    names = ("ant", "bee", "cat", "dog")
    examples = EvalSplit(
        "test", names, "f", images, labels.astype(np.uint8), np.arange(len(labels))
    )
    return Predictions(log_probs.astype(np.float32), examples, CHECKPOINT, NOTE)


def test_wrong_labels_are_found_and_the_least_likely_comes_first() -> None:
    classes = np.arange(400) % 4
    labels, wrong = classes.copy(), [3, 50, 201, 399]
    labels[wrong] = (labels[wrong] + 1) % 4
    predictions = table_with(labels, classes)
    found = find_label_issues(predictions)
    assert set(wrong) <= set(found.tolist())
    assert len(found) <= 8
    own = predictions.log_probs[found, labels[found]]
    assert (np.diff(own) >= -1e-6).all()


def test_right_labels_are_left_alone() -> None:
    classes = np.arange(400) % 4
    assert len(find_label_issues(table_with(classes, classes))) <= 2


def test_a_poor_model_doubts_nothing() -> None:
    classes = np.arange(400) % 4
    labels = classes.copy()
    labels[:120] = (labels[:120] + 1) % 4
    assert not len(find_label_issues(table_with(labels, classes)))


def test_a_class_without_images_is_no_hindrance() -> None:
    classes = np.arange(300) % 3
    labels = classes.copy()
    labels[7] = 2
    assert 7 in find_label_issues(table_with(labels, classes))
