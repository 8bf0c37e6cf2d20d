"""One table of log-probabilities per checkpoint and split: every prediction shown comes from it.

    <run>/tables/<checkpoint>-<split>.npy    (N, K) float16
    <run>/tables/<checkpoint>-<split>.json   what it is of, and its sum; written last

Needs no torch: with a table every view is a matter of milliseconds.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.config import TrainConfig
from cifar_core.data.dataset import Dataset, split_indices
from cifar_core.errors import CheckpointError, ConfigError
from cifar_core.files import read_json, write_atomic, write_json
from cifar_core.metrics import confusion_matrix

SPLITS = ("test", "val", "train")


@dataclass(frozen=True, eq=False)
class Examples:
    """The images of a split as a run had them.

    Attributes:
        indices: (N,) positions in the data set's training or test images.
    """

    split: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]

    def pixels(self, rows: NDArray[np.integer] | list[int]) -> NDArray[np.uint8]:
        """(B, 32, 32, 3) uint8 images of some rows."""
        return np.asarray(self.images[self.indices[rows]])


def examples_of(data: Dataset, config: TrainConfig, split: str) -> Examples:
    """The images of "test", "val" or "train", in the order of their tables.

    Raises:
        ConfigError: if there is no such split, or nothing was held out.
    """
    if split not in SPLITS:
        raise ConfigError(f"Unknown split {split!r}. Available: {', '.join(SPLITS)}.")
    if split == "test":
        indices = np.arange(len(data.test))
        return Examples(split, data.test.images, data.test.labels, indices)
    parts = split_indices(len(data.train), config.val_size, config.train_size, config.seed)
    indices = parts[0] if split == "train" else parts[1]
    if not len(indices):
        raise ConfigError("This run held nothing out (val_size = 0). Take the test split.")
    return Examples(split, data.train.images, data.train.labels[indices], indices)


@dataclass(frozen=True, eq=False)
class Table:
    """What one checkpoint says of one split.

    Attributes:
        log_probs: (N, K) float32, as they were kept in float16.
        facts: Run, checkpoint, epoch, split, model, data: what the table is of.
    """

    log_probs: NDArray[np.float32]
    examples: Examples
    facts: dict[str, Any]

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """(N,) the most probable class."""
        return self.log_probs.argmax(axis=1)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) probability of the predicted class, 0..1."""
        return np.exp(self.log_probs.max(axis=1))

    @cached_property
    def losses(self) -> NDArray[np.float32]:
        """(N,) cross-entropy of each image, nats."""
        return -self.log_probs[np.arange(len(self.log_probs)), self.examples.labels]

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """(K, K) confusion matrix; row: true, column: predicted."""
        return confusion_matrix(self.examples.labels, self.predictions, self.log_probs.shape[1])

    @property
    def acc(self) -> float:
        """Share of images that were recognised."""
        return float((self.predictions == self.examples.labels).mean())

    def rows(
        self, true: int | None = None, predicted: int | None = None, only_wrong: bool = True
    ) -> NDArray[np.int64]:
        """(M,) rows of the images of a true class, taken for a class, by default errors only."""
        chosen = np.ones(len(self.predictions), bool)
        if true is not None:
            chosen &= self.examples.labels == true
        if predicted is not None:
            chosen &= self.predictions == predicted
        if only_wrong:
            chosen &= self.predictions != self.examples.labels
        return np.flatnonzero(chosen)


def table_path(run_dir: Path, checkpoint: str, split: str) -> Path:
    """Where the numbers of a table lie; its facts lie beside it."""
    return run_dir / "tables" / f"{checkpoint}-{split}.npy"


def write_table(path: Path, log_probs: NDArray[np.floating], facts: dict[str, Any]) -> None:
    """Writes a table whole, its facts and its sum last."""
    buffer = io.BytesIO()
    np.save(buffer, log_probs.astype(np.float16), allow_pickle=False)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    write_json(path.with_suffix(".json"), {"format": 1, **facts, "sha256": sha256})


def has_table(path: Path) -> bool:
    """Whether a table was finished."""
    return path.with_suffix(".json").is_file()


def read_table(path: Path, examples: Examples, fingerprint: str) -> Table:
    """Reads a table and puts it beside its images.

    Raises:
        CheckpointError: if it is missing, damaged, or of other data.
    """
    facts = read_json(path.with_suffix(".json"))
    if facts is None:
        raise CheckpointError(
            f"{path.stem} was not evaluated yet, or its table is damaged. {_AGAIN}"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read ({error.strerror}). {_AGAIN}") from None
    if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
        raise CheckpointError(f"{path.name} is damaged: its SHA-256 is another one. {_AGAIN}")
    if facts.get("fingerprint") != fingerprint:
        raise CheckpointError(f"{path.name} is of other data than are here now. {_AGAIN}")
    log_probs = np.load(io.BytesIO(content), allow_pickle=False).astype(np.float32)
    if log_probs.shape[:1] != examples.labels.shape:
        raise CheckpointError(
            f"{path.name} has {len(log_probs):,} rows, not one per image. {_AGAIN}"
        )
    return Table(log_probs, examples, facts)


_AGAIN = "Evaluate this checkpoint again."
