"""Maps of a run's most confident errors, kept beside it: to be shown without the model.

<run>/maps.npz   see `ErrorMaps`; a zip, which holds its own checksums
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.arrays import Floats, Pixels
from cifar_core.errors import RunError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.gradcam import CamMaps, Target
from cifar_core.records import layout
from cifar_core.system.files import read_npz, write_atomic

NUM_ERRORS = 24
# Maps of (N, 32, 32, 3) images for one target each.
Compute = Callable[[Pixels, Sequence[Target]], CamMaps]


@dataclass(frozen=True, eq=False)
class ErrorMaps:
    """Errors of a checkpoint on the test images, the most confident first.

    Attributes:
        indices: (N,) int64 positions among the test images.
        true, predicted: (N,) int64 classes.
        confidence: (N,) float32 probability of the predicted class, 0..1.
        for_predicted, for_true: (N, H, W) float32 maps for these classes, before any scaling.
        layer: Where the maps are of.
        weights: SHA-256 of the weights.
    """

    indices: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: Floats
    for_predicted: Floats
    for_true: Floats
    layer: str
    weights: str


def error_maps(
    predictions: Predictions, layer: str, compute: Compute, count: int = NUM_ERRORS
) -> ErrorMaps:
    """Maps of the most confident errors, at most `count`.

    Args:
        layer: Where `compute` computes them.
    """
    rows = most_confident_errors(predictions, count)
    examples, checkpoint = predictions.examples, predictions.checkpoint
    true, predicted = examples.labels[rows].astype(np.int64), predictions.predicted[rows]
    pixels = examples.pixels(rows)
    none = np.zeros((0, 32, 32), np.float32)
    raws = [compute(pixels, t.tolist()).raw if rows else none for t in (predicted, true)]
    return ErrorMaps(
        examples.indices[rows],
        true,
        predicted,
        predictions.confidence[rows],
        *raws,
        layer=layer,
        weights=checkpoint.weights_sha256,
    )


def write_error_maps(folder: Path, maps: ErrorMaps) -> None:
    """Stores maps, rounded to float16."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        indices=maps.indices,
        true=maps.true,
        predicted=maps.predicted,
        confidence=maps.confidence,
        for_predicted=maps.for_predicted.astype(np.float16),
        for_true=maps.for_true.astype(np.float16),
        layer=np.array(maps.layer),
        weights=np.array(maps.weights),
    )
    write_atomic(folder / layout.ERROR_MAPS, buffer.getvalue())


def read_error_maps(folder: Path) -> ErrorMaps:
    """The maps that lie beside a run.

    Raises:
        RunError: if there are none, or they are damaged.
    """
    values = read_npz(folder / layout.ERROR_MAPS) or {}
    try:
        maps = ErrorMaps(
            **{name: values[name] for name in ("indices", "true", "predicted", "confidence")},
            for_predicted=values["for_predicted"].astype(np.float32),
            for_true=values["for_true"].astype(np.float32),
            layer=str(values["layer"]),
            weights=str(values["weights"]),
        )
    except KeyError:
        raise RunError(f"{folder.name} has no maps of its errors, or they are damaged.") from None
    num = len(maps.indices)
    if any(len(one) != num for one in (maps.true, maps.predicted, maps.for_true)) or num == 0:
        raise RunError(f"{folder.name}: the maps of its errors are damaged.")
    return maps
