"""What an augmentation does to a trained model: its accuracy under it, and the images that flip."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from cifar_core.augment import AugmentSpec
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.metrics import class_acc, confusion_matrix
from cifar_core.records import layout
from cifar_core.system.files import read_npz, write_atomic
from cifar_core.system.json_files import parse_typed
from cifar_core.system.progress import Progress
from cifar_core.system.seeds import Purpose, derive_seed
from cifar_core.validation import STORED

NUM_IMAGES = 1000
PLAIN, TOGETHER = "as it is", "all together"
# Of a class's images, how many more have to be taken for another before its label is in doubt.
DOUBTFUL = 0.3


@dataclass(frozen=True)
class EffectNames:
    """What stands beside the arrays of an `Effect`."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    names: tuple[str, ...]
    classes: tuple[str, ...]
    format: Literal[1] = 1


@dataclass(frozen=True, eq=False)
class Effect:
    """Predictions for the same test images, plain and under a spec.

    Attributes:
        names: V variants: plain, the whole spec at its own probabilities, then each operation
            alone and always.
        predictions: (V, N) uint8.
        indices: (N,) int64, into the test images.
        labels: (N,) uint8.
        pixels: (N, 32, 32, 3) uint8, under the whole spec.
        classes: Their names.
    """

    names: list[str]
    predictions: NDArray[np.uint8]
    indices: NDArray[np.int64]
    labels: NDArray[np.uint8]
    pixels: NDArray[np.uint8]
    classes: list[str]

    @property
    def is_consistent(self) -> bool:
        """Whether the arrays fit each other and the names."""
        num = len(self.indices)
        return (
            self.predictions.shape == (len(self.names), num)
            and self.labels.shape == (num,)
            and self.pixels.shape == (num, 32, 32, 3)
            and max(self.labels.max(initial=0), self.predictions.max(initial=0)) < len(self.classes)
        )

    @property
    def acc(self) -> NDArray[np.float64]:
        """(V,) accuracy of each variant."""
        return (self.predictions == self.labels).mean(axis=1)

    @property
    def class_acc(self) -> NDArray[np.float64]:
        """(V, K) accuracy of each variant on each class; NaN for a class without images."""
        size = len(self.classes)
        tables = [confusion_matrix(self.labels, row, size) for row in self.predictions]
        return np.stack([class_acc(table) for table in tables])

    @property
    def flipped(self) -> NDArray[np.int64]:
        """(M,) places of the images that are right as they are and wrong under the spec."""
        plain, together = self.predictions[:2]
        return np.flatnonzero((plain == self.labels) & (together != self.labels))

    def doubts(self) -> list[str]:
        """Sentences on the operations that make a class look like others."""
        lost = self.class_acc[0] - self.class_acc[2:]
        said = []
        for name, row in zip(self.names[2:], lost, strict=True):
            worst = [k for k in np.argsort(-row) if row[k] >= DOUBTFUL]
            if worst:
                listed = ", ".join(f"{self.classes[k]} {row[k]:.0%}" for k in worst[:4])
                said.append(
                    f"{name} alone makes the model miss many more of: {listed}. Where people would "
                    "no longer say the label either, take it milder or out."
                )
        return said


def variants(spec: AugmentSpec) -> list[tuple[str, AugmentSpec]]:
    """What is tried: plain, the pixel operations together, each alone and always."""
    from cifar_core.augment.preview import isolated

    together = AugmentSpec(operations=spec.pixel)
    named = [(str(one.operations[0]), one) for one in isolated(spec)]
    return [(PLAIN, AugmentSpec()), (TOGETHER, together), *named]


def measure_effect(
    checkpoint: Checkpoint, config: TrainConfig, data: Dataset, spec: AugmentSpec, folder: Path
) -> Iterator[Progress]:
    """Predicts the same test images under each variant and writes the `Effect` into a folder."""
    from cifar_core.augment.preview import preview
    from cifar_core.evaluation.predictor import Predictor

    judge, tried = Predictor(checkpoint, config), variants(spec)
    seed = derive_seed(0, Purpose.SHUFFLE)
    order = np.random.default_rng(seed).permutation(len(data.test))
    indices = np.sort(order[:NUM_IMAGES])
    predictions, pixels = np.empty((len(tried), len(indices)), np.uint8), data.test.images[:0]
    for number, (name, variant) in enumerate(tried):
        drawn = preview(variant, data, indices, 1, 0, data.test).draws[0]
        pixels = drawn if name == TOGETHER else pixels
        for start in range(0, len(indices), judge.batch_size):
            part = slice(start, start + judge.batch_size)
            predictions[number, part] = judge(drawn[part]).argmax(axis=1)
            done = number * len(indices) + min(part.stop, len(indices))
            yield Progress(f"Trying: {name}", done, len(tried) * len(indices), "images")
    about = EffectNames(tuple(name for name, _ in tried), tuple(data.classes))
    buffer = io.BytesIO()
    np.savez(
        buffer,
        about=np.frombuffer(json.dumps(asdict(about)).encode(), np.uint8),
        predictions=predictions,
        indices=indices,
        labels=data.test.labels[indices],
        pixels=pixels,
    )
    write_atomic(folder / layout.EFFECT, buffer.getvalue())


def load_effect(folder: Path) -> Effect:
    """Reads what `measure_effect` wrote.

    Raises:
        RunError: if it is missing or damaged.
    """
    arrays = read_npz(folder / layout.EFFECT) or {}
    try:
        stored = parse_typed(arrays.pop("about").tobytes(), EffectNames)
        effect = Effect(names=list(stored.names), classes=list(stored.classes), **arrays)
        if effect.is_consistent:
            return effect
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise RunError("What was tried is missing or damaged. Try it again.")
