"""What a run said of the test images after each epoch, and how each image fared.

    <run>/epochs/0001.npz   (N, K) float16 log-probabilities; a zip, which holds its own sums

Needs no torch: with it every epoch can be looked at without inference.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.store import open_dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.metrics import class_acc, confusion_matrix
from cifar_core.evaluation.predictions import EvalSplit, eval_split, to_float16
from cifar_core.records import layout
from cifar_core.runs.store import TrainingRun, epoch_files
from cifar_core.system.files import read_npz, write_atomic


def write_epoch_predictions(
    run_dir: Path, epoch: int, log_probs: NDArray[np.floating], fingerprint: str
) -> None:
    """Keeps the (N, K) log-probabilities of the test images after an epoch, from 1.

    Raises:
        OSError: if it cannot be written; nothing is left of it then.
    """
    buffer, folder = io.BytesIO(), run_dir / layout.EPOCHS
    np.savez(buffer, log_probs=to_float16(log_probs), fingerprint=np.array(fingerprint))
    folder.mkdir(exist_ok=True)
    for left in folder.glob(".*.draft"):  # by a worker that was killed; a run has but one
        left.unlink(missing_ok=True)
    write_atomic(folder / f"{epoch:04d}.npz", buffer.getvalue())


@dataclass(frozen=True, eq=False)
class History:
    """How each test image fared over the epochs of a run.

    Attributes:
        epochs: (E,) int64 numbers of the epochs, from 1; those whose file is damaged are missing.
        predictions: (E, N) uint8.
        losses: (E, N) float16 cross-entropy of each image, nats.
    """

    examples: EvalSplit
    epochs: NDArray[np.int64]
    predictions: NDArray[np.uint8]
    losses: NDArray[np.float16]

    @property
    def is_whole(self) -> bool:
        """Whether no epoch is missing from the first to the last."""
        return self.epochs.tolist() == list(range(1, len(self.epochs) + 1))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """(E, N) whether an image was recognised."""
        return self.predictions == self.examples.labels

    @cached_property
    def acc(self) -> NDArray[np.float64]:
        """(E,) accuracy."""
        return self.correct.mean(axis=1)

    @cached_property
    def class_acc(self) -> NDArray[np.float64]:
        """(E, K) accuracy of each class; nan for a class without images."""
        return np.stack([class_acc(self.matrix(place)) for place in range(len(self.epochs))])

    def matrix(self, place: int) -> NDArray[np.int64]:
        """(K, K) confusion matrix after the epoch at a place of `epochs`."""
        size = len(self.examples.classes)
        return confusion_matrix(self.examples.labels, self.predictions[place], size)

    def changed(self, place: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that became right, and rows that became wrong, since the place before.

        Those whose loss changed most come first. At the first place nothing has changed.
        """
        if place == 0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        before, now = self.correct[place - 1], self.correct[place]
        losses = self.losses[place - 1 : place + 1].astype(np.float32)
        order = np.argsort(-np.abs(losses[1] - losses[0]), kind="stable")
        return order[now[order] & ~before[order]], order[before[order] & ~now[order]]

    @cached_property
    def learned(self) -> NDArray[np.int64]:
        """(N,) epoch from which on an image was right to the end; 0 if it is wrong at the end."""
        wrong = ~self.correct[::-1]
        since = len(self.epochs) - wrong.argmax(axis=0)  # the place after the last wrong one
        since[~wrong.any(axis=0)] = 0
        return np.where(self.correct[-1], self.epochs[np.minimum(since, len(self.epochs) - 1)], 0)

    @cached_property
    def forgetting_events(self) -> NDArray[np.int64]:
        """(N,) how often an image was right and then wrong.

        Source: Toneva et al. 2019, https://arxiv.org/abs/1812.05159, forgetting events, counted
        here on test images after each epoch.
        """
        return (self.correct[:-1] & ~self.correct[1:]).sum(axis=0)

    def learning_summary(self, row: int) -> str:
        """When an image was learned and how often forgotten, in a sentence."""
        times, learned, right = (
            int(self.forgetting_events[row]),
            int(self.learned[row]),
            self.correct[:, row],
        )
        said = {0: "never forgotten", 1: "forgotten once", 2: "forgotten twice"}
        often = said.get(times, f"forgotten {times} times")
        if learned:
            earlier = " or earlier" if right.all() and self.epochs[0] > 1 else ""
            return f"Recognised for good since epoch {learned}{earlier}, {often}."
        if right.any():
            return f"Recognised after {right.sum()} of {len(right)} epochs, but not at the end."
        return f"Never recognised in {len(right)} epochs."


def load_history(run: TrainingRun) -> History:
    """How the test images fared in a run.

    Raises:
        RunError: if nothing was kept, or nothing that can be read.
        DataError: if its data are gone.
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
            f"{run.name} kept nothing of its epochs that can be read and is of the data that are "
            "here now. Look at another run, or train it again."
        )
    return History(examples, np.array(epochs), np.stack(predictions), np.stack(losses))


def probabilities_over_epochs(
    run: TrainingRun, examples: EvalSplit, row: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(E,) epochs and (E, K) probabilities, 0..1, of one test image after each of them."""
    found = [(epoch, said[row]) for epoch, said in _each(run, examples)]
    epochs = np.array([epoch for epoch, _ in found], np.int64)
    said = np.array([row for _, row in found], np.float32).reshape(-1, len(examples.classes))
    return epochs, np.exp(said)


def _each(run: TrainingRun, examples: EvalSplit) -> Iterator[tuple[int, NDArray[np.float16]]]:
    """Number and (N, K) log-probabilities of each epoch; damaged ones are left out."""
    shape = (len(examples.labels), len(examples.classes))
    for path in epoch_files(run.path):
        match read_npz(path):
            case {"log_probs": said, "fingerprint": of} if (
                said.shape == shape and str(of) == examples.fingerprint
            ):
                yield int(path.stem), said
