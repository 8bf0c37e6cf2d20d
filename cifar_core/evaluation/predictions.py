"""Log-probabilities of a checkpoint on a split: every prediction shown anywhere comes from them.

<run>/tables/<checkpoint>-<split>.npy    (N, K) float16
<run>/tables/<checkpoint>-<split>.json   what they are of, and their checksum; written last
<run>/tables/<checkpoint>-<split>-flip.…  the same with test-time flip

"""

import hashlib
import io
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig
from cifar_core.data.dataset import Dataset, split_indices
from cifar_core.errors import CheckpointError, ConfigError
from cifar_core.evaluation.files import PredictionsNote, to_float16
from cifar_core.evaluation.metrics import confusion_matrix
from cifar_core.records import layout
from cifar_core.runs.store import TrainingRun
from cifar_core.system.files import NotRegularError, read_regular, write_atomic
from cifar_core.system.json_files import read_typed, write_typed

MAX_BYTES = 2**30  # of a file of log-probabilities; 50,000 images of 10 classes have 2**20
SPLITS = ("test", "val", "train")
SPLIT_NAMES = {"test": "test", "val": "validation", "train": "training"}
OWN = "own"  # an uploaded image; never stored
OUTCOMES = ("errors", "correct", "all")


@dataclass(frozen=True, eq=False)
class EvalSplit:
    """The images of a split as a run used them.

    Attributes:
        fingerprint: Of the whole data set.
        indices: (N,) positions in the data set's training or test images.
    """

    split: str
    classes: tuple[str, ...]
    fingerprint: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]

    def pixels(self, rows: NDArray[np.integer] | list[int]) -> NDArray[np.uint8]:
        """(B, 32, 32, 3) uint8 images of some rows."""
        return np.asarray(self.images[self.indices[rows]])

    def name(self, row: int) -> str:
        """Display name of an image, such as "test 4711"; validation images are training images."""
        if self.split == OWN:
            return "your image"
        return f"{'test' if self.split == 'test' else 'train'} {self.indices[row]}"

    def find(self, index: int) -> int:
        """The row of an index in the data set.

        Raises:
            ConfigError: if that image is not in this split.
        """
        rows = np.flatnonzero(self.indices == index)
        if not len(rows):
            raise ConfigError(
                f"There is no image {index} among the {len(self.indices):,} of this {self.split} "
                f"split. Give an index from {self.indices.min()} to {self.indices.max()}."
            )
        return int(rows[0])


def eval_split(data: Dataset, config: TrainConfig, split: str) -> EvalSplit:
    """The images of "test", "val" or "train", in the order of their predictions.

    Raises:
        ConfigError: if there is no such split, or no validation images were held out.
    """
    if split not in SPLITS:
        raise ConfigError(f"Unknown split {split!r}. Available: {', '.join(SPLITS)}.")
    if split == "test":
        indices = np.arange(len(data.test))
        return EvalSplit(
            split, data.classes, data.fingerprint, data.test.images, data.test.labels, indices
        )
    parts = split_indices(len(data.train), config.val_size, config.train_size, config.seed)
    indices = parts[0] if split == "train" else parts[1]
    if not len(indices):
        raise ConfigError("This run held out no validation images (val_size = 0). Choose test.")
    labels = data.train.labels[indices]
    return EvalSplit(split, data.classes, data.fingerprint, data.train.images, labels, indices)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of one checkpoint on one split.

    Attributes:
        log_probs: (N, K) float32, stored as float16.
        note: What they are of.
    """

    log_probs: NDArray[np.float32]
    examples: EvalSplit
    checkpoint: Checkpoint
    note: PredictionsNote

    def __str__(self) -> str:
        """What every figure made from them has to state."""
        images = "one image of your own"
        if self.examples.split != OWN:
            split = SPLIT_NAMES[self.examples.split]
            images = f"{len(self.examples.labels):,} {split} images of {self.note.data}"
        return (
            f"{images}, {self.checkpoint.name} (epoch {self.checkpoint.epoch})"
            f"{', TTA (flip)' if self.note.flip else ''}"
        )

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) int64 predicted class."""
        return self.log_probs.argmax(axis=1)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) probability of the predicted class, 0..1."""
        return np.exp(self.log_probs.max(axis=1))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """(N,) whether the prediction is correct."""
        return self.predicted == self.examples.labels

    @cached_property
    def margins(self) -> NDArray[np.float32]:
        """(N,) probability of the predicted class minus that of the next, 0..1."""
        best = np.partition(np.exp(self.log_probs), -2, axis=1)[:, -2:]
        return best[:, 1] - best[:, 0]

    @cached_property
    def losses(self) -> NDArray[np.float32]:
        """(N,) cross-entropy of each image, nats."""
        return -self.log_probs[np.arange(len(self.log_probs)), self.examples.labels]

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """(K, K) confusion matrix; row: true, column: predicted."""
        return confusion_matrix(self.examples.labels, self.predicted, self.log_probs.shape[1])

    @property
    def acc(self) -> float:
        """Share of images predicted correctly, 0..1."""
        return float(self.correct.mean())

    def rows(
        self, true: int | None = None, predicted: int | None = None, show: str = "errors"
    ) -> NDArray[np.int64]:
        """(M,) int64 rows of the images with these true and predicted classes; None for any.

        Args:
            show: One of `OUTCOMES`.
        """
        everything = np.ones_like(self.correct)
        mask = {"errors": ~self.correct, "correct": self.correct, "all": everything}[show]
        if true is not None:
            mask = mask & (self.examples.labels == true)
        if predicted is not None:
            mask = mask & (self.predicted == predicted)
        return np.flatnonzero(mask)


def find_predictions(run: TrainingRun, checkpoint: str, split: str, flip: bool = False) -> Path:
    """Path of a run's stored log-probabilities: what was evaluated here before what shipped."""
    own = predictions_path(run.derived, checkpoint, split, flip)
    return own if has_predictions(own) else predictions_path(run.path, checkpoint, split, flip)


def predictions_path(run_dir: Path, checkpoint: str, split: str, flip: bool = False) -> Path:
    """Path of log-probabilities in a folder; a JSON file beside them says what they are of.

    Args:
        flip: Whether test-time flip was used; see `FlipTTA`.
    """
    return run_dir / layout.PREDICTIONS / f"{checkpoint}-{split}{'-flip' if flip else ''}.npy"


def write_predictions(path: Path, log_probs: NDArray[np.floating], note: PredictionsNote) -> None:
    """Writes predictions atomically, their note with the checksum last."""
    buffer = io.BytesIO()
    np.save(buffer, to_float16(log_probs), allow_pickle=False)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    write_typed(path.with_suffix(".json"), replace(note, sha256=sha256))


def has_predictions(path: Path) -> bool:
    """Whether predictions were written completely."""
    return path.with_suffix(".json").is_file()


def read_predictions(path: Path, examples: EvalSplit, checkpoint: Checkpoint) -> Predictions:
    """Reads predictions and pairs them with their images.

    Raises:
        CheckpointError: if it is missing, damaged, or of other data or weights.
    """
    note = read_typed(path.with_suffix(".json"), PredictionsNote, CheckpointError, _AGAIN)
    if note is None:
        raise CheckpointError(f"{path.stem} was not evaluated yet. {_AGAIN}")
    try:
        content = read_regular(path, MAX_BYTES)
        if content is None:
            raise ValueError("it is missing")
    except (OSError, ValueError, NotRegularError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}. {_AGAIN}") from None
    if hashlib.sha256(content).hexdigest() != note.sha256:
        raise CheckpointError(f"{path.name} is damaged: its SHA-256 does not match. {_AGAIN}")
    if note.fingerprint != examples.fingerprint:
        raise CheckpointError(f"{path.name} was computed on other data. {_AGAIN}")
    if note.weights != checkpoint.weights_sha256:
        raise CheckpointError(f"{path.name} was computed with other weights. {_AGAIN}")
    try:
        log_probs = np.load(io.BytesIO(content), allow_pickle=False).astype(np.float32)
    except ValueError as error:
        raise CheckpointError(f"{path.name} is not a numeric array ({error}). {_AGAIN}") from None
    if log_probs.shape[:1] != examples.labels.shape:
        raise CheckpointError(
            f"{path.name} has {len(log_probs):,} rows for {len(examples.labels):,} images. {_AGAIN}"
        )
    if log_probs.shape[1:] != (len(examples.classes),):
        raise CheckpointError(f"{path.name} does not have one column per class. {_AGAIN}")
    return Predictions(log_probs, examples, checkpoint.for_split(examples.split), note)


_AGAIN = "Evaluate this checkpoint again; in a terminal: evaluate RUN --again."
