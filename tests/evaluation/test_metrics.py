"""Figures from predictions: against counts made by hand, and against scikit-learn."""

import itertools
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from cifar_core.evaluation.metrics import (
    calibration,
    confusion_matrix,
    mcnemar_test,
    most_confused,
    per_class_accuracy,
    precision_recall_f1,
    topk_accuracy,
    wilson_interval,
)

LABELS = np.array([0, 0, 1, 2, 2, 2], np.uint8)
PREDICTIONS = np.array([0, 1, 1, 2, 0, 0])
BY_HAND = [[1, 1, 0], [0, 1, 0], [2, 0, 1]]


def drawn(num_images: int, num_classes: int, seed: int) -> tuple[NDArray[np.uint8], NDArray]:
    """Labels as a data set has them, and predictions of which about half are right."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, num_classes, num_images).astype(np.uint8)
    guesses = generator.integers(0, num_classes, num_images)
    return labels, np.where(generator.random(num_images) < 0.5, labels, guesses)


def test_rows_are_true_and_columns_predicted() -> None:
    matrix = confusion_matrix(LABELS, PREDICTIONS, 3)
    assert matrix.tolist() == BY_HAND
    assert matrix.dtype == np.int64


def test_the_matrix_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import confusion_matrix as reference

    for num_images, num_classes in itertools.product((1, 30, 5000), (2, 10, 100)):
        labels, predictions = drawn(num_images, num_classes, seed=num_images)
        expected = reference(labels, predictions, labels=range(num_classes))
        matrix = confusion_matrix(labels, predictions, num_classes)
        assert np.array_equal(matrix, expected), (num_images, num_classes)


def test_the_number_of_a_cell_outgrows_a_byte() -> None:
    labels, predictions = np.array([99], np.uint8), np.array([98], np.uint8)
    matrix = confusion_matrix(labels, predictions, 100)
    assert matrix.shape == (100, 100)
    assert matrix[99, 98] == matrix.sum() == 1


def test_no_images_give_a_matrix_of_zeros() -> None:
    matrix = confusion_matrix(np.array([], np.uint8), np.array([], np.int64), 4)
    assert matrix.tolist() == np.zeros((4, 4)).tolist()


def test_every_image_is_counted_once() -> None:
    labels, predictions = drawn(1000, 10, seed=1)
    matrix = confusion_matrix(labels, predictions, 10)
    assert matrix.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    assert matrix.sum(axis=0).tolist() == np.bincount(predictions, minlength=10).tolist()
    assert np.trace(matrix) == (labels == predictions).sum()


def test_accuracy_of_a_class_is_the_share_of_its_own_images() -> None:
    assert per_class_accuracy(np.array(BY_HAND)).tolist() == [0.5, 1.0, pytest.approx(1 / 3)]


def test_a_class_without_images_has_no_accuracy() -> None:
    accs = per_class_accuracy(np.array([[3, 1, 0], [0, 0, 0], [0, 2, 0]]))
    assert np.isnan(accs).tolist() == [False, True, False]
    assert accs[[0, 2]].tolist() == [0.75, 0.0]


def test_accuracies_of_classes_average_to_that_of_the_whole() -> None:
    labels, predictions = drawn(2000, 10, seed=2)
    accs = per_class_accuracy(confusion_matrix(labels, predictions, 10))
    assert accs[3] == (predictions[labels == 3] == 3).mean()
    shares = np.bincount(labels) / len(labels)
    assert accs @ shares == pytest.approx((labels == predictions).mean())


def test_the_most_frequent_errors_come_first_and_hits_never() -> None:
    matrix = np.array([[90, 1, 4], [7, 80, 0], [2, 9, 70]])
    expected = [(2, 1, 9), (1, 0, 7), (0, 2, 4), (2, 0, 2), (0, 1, 1)]
    for count in range(8):  # the sixth pair, 1 predicted as 2, never happened
        assert most_confused(matrix, count) == expected[:count]


def test_ties_come_in_the_order_of_the_matrix() -> None:
    matrix = np.array([[0, 2, 2], [2, 0, 3], [2, 2, 0]])
    assert most_confused(matrix, 9) == [
        (1, 2, 3),
        (0, 1, 2),
        (0, 2, 2),
        (1, 0, 2),
        (2, 0, 2),
        (2, 1, 2),
    ]


def test_without_errors_nothing_was_confused() -> None:
    assert most_confused(np.diag([5, 0, 3]), 5) == []


def test_pairs_are_plain_numbers_and_the_matrix_stays_as_it_was() -> None:
    matrix = np.array(BY_HAND)
    found = most_confused(matrix, 5)
    assert found == [(2, 0, 2), (0, 1, 1)]
    assert {type(value) for pair in found for value in pair} == {int}
    assert matrix.tolist() == BY_HAND


def test_the_interval_of_a_share_is_wilsons() -> None:
    """By hand for 8 of 10, z = 1.959964: center 0.71683, half width 0.22659."""
    assert wilson_interval(8, 10) == pytest.approx((0.49016, 0.94331), abs=1e-4)
    low, high = wilson_interval(0, 10_000)
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(3.84146 / (10_000 + 3.84146), rel=1e-4)


def test_top_two() -> None:
    log_probs = np.log([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    labels = np.array([0, 1, 2])
    assert [topk_accuracy(log_probs, labels, k) for k in (1, 2, 3)] == pytest.approx(
        [1 / 3, 2 / 3, 1]
    )


def test_ties_are_in_the_order_of_the_classes() -> None:
    """Of four classes with 0.25 each, the prediction is class 0, and classes 0 and 1 are top-2."""
    log_probs, labels = np.log(np.full((4, 4), 0.25)), np.arange(4)
    assert [topk_accuracy(log_probs, labels, k) for k in (1, 2, 3, 4)] == [0.25, 0.5, 0.75, 1]
    assert topk_accuracy(log_probs, labels, 1) == (log_probs.argmax(axis=1) == labels).mean()


def test_precision_recall_and_f1_by_hand_and_by_scikit_learn() -> None:
    matrix = np.array([[8, 2, 0], [1, 3, 0], [0, 0, 0]])
    precision, recall, f1 = precision_recall_f1(matrix)
    assert precision[:2] == pytest.approx([8 / 9, 3 / 5])
    assert recall[:2] == pytest.approx([8 / 10, 3 / 4])
    assert f1[:2] == pytest.approx([16 / 19, 6 / 9])
    assert np.isnan([precision[2], recall[2], f1[2]]).all()
    labels = np.repeat([0, 0, 1, 1], [8, 2, 1, 3])
    predictions = np.repeat([0, 1, 0, 1], [8, 2, 1, 3])
    theirs = precision_recall_fscore_support(labels, predictions)[:3]
    assert precision_recall_f1(matrix)[:, :2] == pytest.approx(np.array(theirs))


def test_calibration_by_hand() -> None:
    """Four images in the bin of 0.6, half of them right; two in the last, both right."""
    confidence = np.array([0.61, 0.62, 0.63, 0.64, 1.0, 0.98])
    right = np.array([True, False, True, False, True, True])
    found = calibration(confidence, right)
    assert found.counts.sum() == 6
    assert found.counts[9] == 4  # 9/15 < c <= 10/15
    assert found.counts[14] == 2
    assert found.confidence[9] == pytest.approx(0.625)
    assert found.acc[9] == pytest.approx(0.5)
    assert found.error == pytest.approx((4 * 0.125 + 2 * 0.01) / 6)
    assert np.isnan(found.acc[0])


def test_the_edges_of_confidence_have_a_bin() -> None:
    found = calibration(np.array([0.0, 1.0], np.float32), np.array([False, True]))
    assert (found.counts[0], found.counts[-1], found.error) == (1, 1, 0.0)


def test_two_models_are_compared_by_what_only_one_gets_right() -> None:
    first = np.array([True] * 9816 + [False] * 112 + [True] * 72)
    second = np.array([True] * 9816 + [True] * 112 + [False] * 72)
    found = mcnemar_test(first, second)
    assert (found.fixed, found.broken, found.total) == (112, 72, 10_000)
    assert found.p == pytest.approx(2 * sum(comb(184, k) for k in range(73)) / 2**184)
    assert str(found) == ("+0.40 percentage points: 112 fixed, 72 broken; significant (p = 0.004).")
    same = mcnemar_test(first, first)
    assert (same.fixed, same.broken, same.p) == (0, 0, 1.0)
    assert "not significant (p = 1.000)" in str(same)
