"""Figures from predictions: against counts made by hand, and against scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.metrics import class_acc, confusion_matrix, most_confused

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


@pytest.mark.parametrize("num_classes", [2, 10, 100])
@pytest.mark.parametrize("num_images", [1, 30, 5000])
def test_the_matrix_is_that_of_scikit_learn(num_images: int, num_classes: int) -> None:
    from sklearn.metrics import confusion_matrix as reference

    labels, predictions = drawn(num_images, num_classes, seed=num_images)
    expected = reference(labels, predictions, labels=range(num_classes))
    assert np.array_equal(confusion_matrix(labels, predictions, num_classes), expected)


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
    assert class_acc(np.array(BY_HAND)).tolist() == [0.5, 1.0, pytest.approx(1 / 3)]


def test_a_class_without_images_has_no_accuracy() -> None:
    accs = class_acc(np.array([[3, 1, 0], [0, 0, 0], [0, 2, 0]]))
    assert np.isnan(accs).tolist() == [False, True, False]
    assert accs[[0, 2]].tolist() == [0.75, 0.0]


def test_accuracies_of_classes_average_to_that_of_the_whole() -> None:
    labels, predictions = drawn(2000, 10, seed=2)
    accs = class_acc(confusion_matrix(labels, predictions, 10))
    assert accs[3] == (predictions[labels == 3] == 3).mean()
    shares = np.bincount(labels) / len(labels)
    assert accs @ shares == pytest.approx((labels == predictions).mean())


def test_the_most_frequent_errors_come_first_and_hits_never() -> None:
    matrix = np.array([[90, 1, 4], [7, 80, 0], [2, 9, 70]])
    expected = [(2, 1, 9), (1, 0, 7), (0, 2, 4), (2, 0, 2), (0, 1, 1)]
    for count in range(8):  # the sixth pair, 1 taken for 2, never happened
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
