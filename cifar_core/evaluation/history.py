"""Predictions of the test images after every epoch, and when each image was learned.

    <run>/epochs/0001.npz   (N, K) float16 log-probabilities; a zip, which holds its own checksums

Needs no torch: every epoch can be inspected without inference.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.data.store import open_dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.files import PredictionsNote, to_float16
from cifar_core.evaluation.metrics import confusion_matrix, per_class_accuracy
from cifar_core.evaluation.predictions import EvalSplit, Predictions, eval_split
from cifar_core.records import layout
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.store import TrainingRun
from cifar_core.system.files import read_npz, write_atomic


def write_epoch_predictions(
    run_dir: Path, epoch: int, log_probs: NDArray[np.floating], fingerprint: str
) -> None:
    """Stores (N, K) log-probabilities of the test images after an epoch, counted from 1.

    Raises:
        OSError: if it cannot be written; no partial file is left then.
    """
    buffer, folder = io.BytesIO(), run_dir / layout.EPOCHS
    np.savez(buffer, log_probs=to_float16(log_probs), fingerprint=np.array(fingerprint))
    folder.mkdir(exist_ok=True)
    for partial in folder.glob(".*.draft"):  # of a killed worker; a run has only one
        partial.unlink(missing_ok=True)
    write_atomic(epoch_file(run_dir, epoch), buffer.getvalue())


def epoch_file(run_dir: Path, epoch: int) -> Path:
    """Where a run keeps the predictions after an epoch, counted from 1."""
    return run_dir / layout.EPOCHS / f"{epoch:04d}.npz"


@dataclass(frozen=True, eq=False)
class History:
    """Predictions of each test image over the epochs of a run.

    Attributes:
        epochs: (E,) int64 numbers of the epochs, from 1; damaged files are left out.
        predicted: (E, N) uint8.
        losses: (E, N) float16 cross-entropy of each image, nats.
    """

    examples: EvalSplit
    epochs: NDArray[np.int64]
    predicted: NDArray[np.uint8]
    losses: NDArray[np.float16]

    @property
    def is_whole(self) -> bool:
        """Whether no epoch is missing from the first to the last."""
        return self.epochs.tolist() == list(range(1, len(self.epochs) + 1))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """(E, N) whether the prediction is correct."""
        return self.predicted == self.examples.labels

    @cached_property
    def acc(self) -> NDArray[np.float64]:
        """(E,) accuracy."""
        return self.correct.mean(axis=1)

    @cached_property
    def per_class_accuracy(self) -> NDArray[np.float64]:
        """(E, K) accuracy of each class; nan for a class without images."""
        return np.stack([per_class_accuracy(self.matrix(i)) for i in range(len(self.epochs))])

    def matrix(self, i: int) -> NDArray[np.int64]:
        """(K, K) confusion matrix after `epochs[i]`; row: true, column: predicted."""
        size = len(self.examples.classes)
        return confusion_matrix(self.examples.labels, self.predicted[i], size)

    def changes(self, i: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows fixed and rows broken by `epochs[i]`, compared with the stored epoch before.

        The largest change of loss comes first. Both are empty for i = 0.
        """
        if i == 0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        before, now = self.correct[i - 1], self.correct[i]
        losses = self.losses[i - 1 : i + 1].astype(np.float32)
        order = np.argsort(-np.abs(losses[1] - losses[0]), kind="stable")
        return order[now[order] & ~before[order]], order[before[order] & ~now[order]]

    @cached_property
    def learned(self) -> NDArray[np.int64]:
        """(N,) first epoch after which an image stayed correct; 0 if it is wrong at the end."""
        wrong = ~self.correct[::-1]
        since = len(self.epochs) - wrong.argmax(axis=0)  # the index after the last error
        since[~wrong.any(axis=0)] = 0
        return np.where(self.correct[-1], self.epochs[np.minimum(since, len(self.epochs) - 1)], 0)

    @cached_property
    def forgetting_events(self) -> NDArray[np.int64]:
        """(N,) how often an image went from correct to wrong.

        Source: Toneva et al. 2019, https://arxiv.org/abs/1812.05159, forgetting events, counted
        here on test images after each epoch.
        """
        return (self.correct[:-1] & ~self.correct[1:]).sum(axis=0)

    def learning_summary(self, row: int) -> str:
        """When an image was learned and how often it was forgotten, in one sentence."""
        times, learned, correct = (
            int(self.forgetting_events[row]),
            int(self.learned[row]),
            self.correct[:, row],
        )
        words = {0: "never forgotten", 1: "forgotten once", 2: "forgotten twice"}
        forgotten = words.get(times, f"forgotten {times} times")
        if learned:
            earlier = " or earlier" if correct.all() and self.epochs[0] > 1 else ""
            return f"Learned at epoch {learned}{earlier}, {forgotten}."
        if correct.any():
            return (
                f"Correct after {correct.sum()} of {len(correct)} epochs, but not after the last."
            )
        return f"Never correct in {len(correct)} epochs."


def load_history(run: TrainingRun) -> History:
    """Predictions of the test images after every epoch of a run.

    Raises:
        RunError: if none are stored, or none can be read.
        DataError: if its data are missing.
    """
    data = open_dataset(run.config.data)
    examples = eval_split(data, run.config, "test")
    epochs, predictions, losses = [], [], []
    rows = np.arange(len(examples.labels))
    for epoch, log_probs in _each(run, examples):
        epochs.append(epoch)
        predictions.append(log_probs.argmax(axis=1).astype(np.uint8))
        losses.append(-log_probs[rows, examples.labels])
    if not epochs:
        raise RunError(
            f"{run.name} has no readable predictions per epoch for the current data. Choose "
            "another run, or train it again."
        )
    return History(examples, np.array(epochs), np.stack(predictions), np.stack(losses))


def probabilities_over_epochs(
    run: TrainingRun, examples: EvalSplit, row: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(E,) epochs and (E, K) probabilities, 0..1, of one test image after each of them."""
    rows = [(epoch, log_probs[row]) for epoch, log_probs in _each(run, examples)]
    epochs = np.array([epoch for epoch, _ in rows], np.int64)
    log_probs = np.array([values for _, values in rows], np.float32).reshape(
        -1, len(examples.classes)
    )
    return epochs, np.exp(log_probs)


def epoch_predictions(run: TrainingRun, checkpoint: Checkpoint) -> Predictions:
    """What training itself predicted of the test images at the epoch of one of its checkpoints.

    Raises:
        RunError: if that is not stored, is of other data, or has another accuracy than the
            checkpoint's figures: a resume on a GPU may have trained its epoch once more.
        DataError: if its data are missing.
    """
    examples = eval_split(open_dataset(run.config.data), run.config, "test")
    log_probs = _read_epoch(epoch_file(run.path, checkpoint.epoch), examples)
    if log_probs is None:
        raise RunError(f"{run.name} has no predictions of epoch {checkpoint.epoch} for these data.")
    note = PredictionsNote.of(run.run_id, checkpoint, "test", flip=False)
    predictions = Predictions(log_probs.astype(np.float32), examples, checkpoint, note)
    figures = checkpoint.manifest.figures
    half_an_image = 0.5 / len(examples.labels)
    if figures is None or abs(predictions.acc - figures.test_acc) > half_an_image:
        raise RunError(f"{run.name} has no predictions of {checkpoint.name}. Evaluate it.")
    return predictions


def _each(run: TrainingRun, examples: EvalSplit) -> Iterator[tuple[int, NDArray[np.float16]]]:
    """Number and (N, K) log-probabilities of each epoch; damaged files are skipped."""
    for path in epoch_files(run.path):
        log_probs = _read_epoch(path, examples)
        if log_probs is not None:
            yield int(path.stem), log_probs


def _read_epoch(path: Path, examples: EvalSplit) -> NDArray[np.float16] | None:
    """(N, K) log-probabilities of an epoch; None if missing, damaged or of other data."""
    shape = (len(examples.labels), len(examples.classes))
    match read_npz(path):
        case {"log_probs": log_probs, "fingerprint": fingerprint} if (
            log_probs.shape == shape and str(fingerprint) == examples.fingerprint
        ):
            return log_probs
    return None
