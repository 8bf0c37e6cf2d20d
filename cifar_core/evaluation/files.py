"""The types of the JSON files that evaluations leave with a run."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.validation import STORED, Count, Text

SplitName = Annotated[str, Field(pattern=r"^(test|val|train)$")]


@dataclass(frozen=True, kw_only=True)
class PredictionsNote:
    """What stored predictions are of; lies beside them and is written last.

    Attributes:
        data: Title of the data set; `fingerprint` of its content.
        weights: SHA-256 of the weights.
        sha256: Of the file of log-probabilities.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal[1] = 1
    run: Text
    checkpoint: Text
    epoch: Count
    model: Text
    weights: Text
    data: Text
    fingerprint: Text
    split: SplitName
    flip: bool = False
    sha256: Text = ""

    @classmethod
    def of(
        cls, run_id: str, checkpoint: Checkpoint, split: SplitName, flip: bool
    ) -> "PredictionsNote":
        """The note for predictions of a checkpoint on a split of its data."""
        manifest = checkpoint.manifest
        return cls(
            run=run_id,
            checkpoint=checkpoint.name,
            epoch=manifest.epoch,
            model=manifest.model,
            weights=checkpoint.weights_sha256,
            data=manifest.data,
            fingerprint=manifest.fingerprint,
            split=split,
            flip=flip,
        )


@dataclass(frozen=True)
class SelectionFile:
    """selections/<id>.json: images that somebody selected.

    Attributes:
        name: Empty if nobody named it.
        indices: Positions in the data set's training or test images, ascending.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: Annotated[str, Field(max_length=200)]
    split: SplitName
    indices: tuple[Count, ...]


def to_float16(log_probs: NDArray[np.floating]) -> NDArray[np.float16]:
    """(N, K) as float16, each row's first and second place kept: rounding alone would make ties."""
    order = np.argsort(log_probs, axis=1, kind="stable")
    exact = np.take_along_axis(log_probs, order, axis=1)
    ascending = exact.astype(np.float16)
    num_classes = ascending.shape[1]
    for k in range(max(num_classes - 2, 1), num_classes):
        below = ascending[:, k - 1]
        above = np.maximum(ascending[:, k], np.nextafter(below, np.float16(np.inf)))
        ascending[:, k] = np.where(exact[:, k] == exact[:, k - 1], below, above)
    rounded = np.empty_like(ascending)
    np.put_along_axis(rounded, order, ascending, axis=1)
    return rounded
