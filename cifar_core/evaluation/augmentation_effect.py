"""Effect of an augmentation on a trained model: accuracy, and the images that it breaks."""

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
from cifar_core.evaluation.metrics import confusion_matrix, per_class_accuracy
from cifar_core.records import layout
from cifar_core.system.files import read_npz, write_atomic
from cifar_core.system.json_files import parse_typed
from cifar_core.system.progress import Progress
from cifar_core.system.seeds import Purpose, derive_seed
from cifar_core.validation import STORED

NUM_IMAGES = 1000
ORIGINAL, FULL = "original", "full augmentation"
# Loss of a class's accuracy from which an operation may change what the image shows.
MIN_ACCURACY_DROP = 0.3


@dataclass(frozen=True)
class EffectNames:
    """What stands beside the arrays of an `Effect`."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    names: tuple[str, ...]
    classes: tuple[str, ...]
    format: Literal[1] = 1


@dataclass(frozen=True, eq=False)
class Effect:
    """Predictions of the same test images, original and augmented.

    Attributes:
        names: V variants: original, the full spec with its probabilities, then each operation
            alone with p = 1.
        predictions: (V, N) uint8 predicted classes.
        indices: (N,) int64 indices of the test images.
        labels: (N,) uint8.
        pixels: (N, 32, 32, 3) uint8, under the full spec.
        classes: K class names.
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
    def per_class_accuracy(self) -> NDArray[np.float64]:
        """(V, K) accuracy of each variant on each class; NaN for a class without images."""
        size = len(self.classes)
        matrices = [confusion_matrix(self.labels, row, size) for row in self.predictions]
        return np.stack([per_class_accuracy(matrix) for matrix in matrices])

    @property
    def broken(self) -> NDArray[np.int64]:
        """(M,) rows that are correct on the original image and wrong under the full spec."""
        original, augmented = self.predictions[:2]
        return np.flatnonzero((original == self.labels) & (augmented != self.labels))

    def warnings(self) -> list[str]:
        """One sentence for each operation that lowers the accuracy of a class a lot."""
        drops = self.per_class_accuracy[0] - self.per_class_accuracy[2:]
        sentences = []
        for name, row in zip(self.names[2:], drops, strict=True):
            worst = [k for k in np.argsort(-row) if row[k] >= MIN_ACCURACY_DROP]
            if worst:
                classes = ", ".join(f"{self.classes[k]} by {row[k]:.0%}" for k in worst[:4])
                sentences.append(
                    f"{name} alone lowers the accuracy of: {classes}. If people could not name the "
                    "class either, weaken or remove it."
                )
        return sentences


def variants(spec: AugmentSpec) -> list[tuple[str, AugmentSpec]]:
    """The variants measured: original, all pixel operations, each alone with p = 1."""
    from cifar_core.augment.preview import isolated

    full = AugmentSpec(operations=spec.pixel)
    alone = [(str(single.operations[0]), single) for single in isolated(spec)]
    return [(ORIGINAL, AugmentSpec()), (FULL, full), *alone]


def measure_effect(
    checkpoint: Checkpoint, config: TrainConfig, data: Dataset, spec: AugmentSpec, folder: Path
) -> Iterator[Progress]:
    """Predicts the same test images under each variant and writes the `Effect` into a folder."""
    from cifar_core.augment.preview import preview
    from cifar_core.evaluation.predictor import Predictor

    predictor, tried = Predictor(checkpoint.for_split("test"), config), variants(spec)
    seed = derive_seed(0, Purpose.SHUFFLE)
    order = np.random.default_rng(seed).permutation(len(data.test))
    indices = np.sort(order[:NUM_IMAGES])
    predictions, pixels = np.empty((len(tried), len(indices)), np.uint8), data.test.images[:0]
    for number, (name, variant) in enumerate(tried):
        drawn = preview(variant, data, indices, 1, 0, data.test).draws[0]
        pixels = drawn if name == FULL else pixels
        for start in range(0, len(indices), predictor.batch_size):
            part = slice(start, start + predictor.batch_size)
            predictions[number, part] = predictor(drawn[part]).argmax(axis=1)
            done = number * len(indices) + min(part.stop, len(indices))
            yield Progress(f"Evaluating: {name}", done, len(tried) * len(indices), "images")
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
    raise RunError("The measured effect is missing or damaged. Measure it again.")
