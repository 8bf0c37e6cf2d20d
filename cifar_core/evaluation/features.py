"""Where images lie in the eyes of a model: penultimate features, neighbours, projections.

    <run>/tables/<checkpoint>-<split>.features.npz   (N, D) float16, written by the evaluation
    <run>/tables/<checkpoint>-<split>.embedding.npz  (N, 2) float32, written by a job of its own

Both are zips, which hold their own sums, and name the weights that they are of. Needs no torch.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.errors import CheckpointError, ConfigError
from cifar_core.evaluation.predictions import EvalSplit, predictions_path
from cifar_core.system.files import read_npz, write_atomic
from cifar_core.system.progress import Progress

What = Literal["features", "embedding"]
PERPLEXITY = 30  # the default of openTSNE and of van der Maaten & Hinton's examples
EXAGGERATED, ITERATIONS = 250, 500  # openTSNE's own, the first with exaggeration 12
LEAST = 8  # images
_CHUNK = 25  # iterations between two signs of life


def values_path(run_dir: Path, checkpoint: str, split: str, what: What) -> Path:
    """Where the features or the embedding of a split lie."""
    return predictions_path(run_dir, checkpoint, split).with_suffix(f".{what}.npz")


def write_values(
    run_dir: Path, checkpoint: Checkpoint, examples: EvalSplit, what: What, values: NDArray[Any]
) -> None:
    """Keeps the (N, …) features or embedding of a checkpoint on a split."""
    path, buffer = values_path(run_dir, checkpoint.name, examples.split, what), io.BytesIO()
    np.savez(buffer, values=values, of=np.array(_subject(checkpoint, examples)))
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, buffer.getvalue())


def read_values(
    run_dir: Path, checkpoint: Checkpoint, examples: EvalSplit, what: What
) -> NDArray[np.float32]:
    """The (N, …) features or embedding of a checkpoint on a split.

    Raises:
        CheckpointError: if they are missing, damaged, or of other weights or data.
    """
    path, again = values_path(run_dir, checkpoint.name, examples.split, what), _AGAIN[what]
    if not path.exists():
        raise CheckpointError(f"There is no {path.name} yet. {again}")
    match read_npz(path):
        case {"values": values, "of": of} if values.ndim == 2 and values.dtype.kind == "f":
            if of.tolist() == _subject(checkpoint, examples) and len(values) == len(
                examples.labels
            ):
                return values.astype(np.float32)
            raise CheckpointError(f"{path.name} is of other weights or data. {again}")
    raise CheckpointError(f"{path.name} is damaged. {again}")


def _subject(checkpoint: Checkpoint, examples: EvalSplit) -> list[str]:
    return [checkpoint.weights_sha256, examples.fingerprint]


_AGAIN: dict[What, str] = {
    "features": "Evaluate this checkpoint again; evaluations keep features now.",
    "embedding": "Find the neighbours again.",
}


def principal(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) features to (N, 2) places along the two directions of largest variance.

    Raises:
        ConfigError: if the images are too few, or all the same to the model.

    Source: Pearson 1901, through scikit-learn.
    """
    from sklearn.decomposition import PCA

    if len(features) < LEAST or features.shape[1] < 2 or not np.ptp(features, axis=0).any():
        raise ConfigError(
            f"{len(features):,} images that a model tells apart cannot be laid out: at least "
            f"{LEAST} are needed, and features that differ. Take another split or checkpoint."
        )

    return PCA(2, svd_solver="covariance_eigh").fit_transform(features).astype(np.float32)


def neighbours(features: NDArray[np.float32], row: int, count: int) -> list[tuple[int, float]]:
    """The rows most alike to one, and the cosine of the angle between their (N, D) features."""
    lengths = np.linalg.norm(features, axis=1)
    alike = features @ features[row] / np.maximum(lengths * lengths[row], 1e-12)
    alike[row] = -np.inf
    order = np.argsort(-alike, kind="stable")[: min(count, len(features) - 1)]
    return [(int(other), float(alike[other])) for other in order]


def embed(features: NDArray[np.float32], places: NDArray[np.float32]) -> Iterator[Progress]:
    """Fills the (N, 2) places of a neighbour embedding of (N, D) features: alike lie together.

    Raises:
        ConfigError: as `principal`.

    Source: van der Maaten & Hinton 2008, t-SNE, through openTSNE (Poličar et al. 2024,
    https://doi.org/10.18637/jss.v109.i03), begun at the principal components, seeded.
    """
    from openTSNE import TSNEEmbedding, affinity, initialization

    total, done = EXAGGERATED + ITERATIONS, 0
    yield Progress("Finding neighbours", done, total, "iterations")
    start = initialization.rescale(principal(features))
    near = affinity.PerplexityBasedNN(
        features,
        perplexity=min(PERPLEXITY, (len(features) - 1) // 3),
        metric="cosine",
        method="exact" if len(features) < 1000 else "annoy",
        n_jobs=1,
        random_state=0,
    )
    now = TSNEEmbedding(start, near, random_state=0, negative_gradient_method="fft", n_jobs=1)
    for num, exaggeration, momentum in ((EXAGGERATED, 12, 0.5), (ITERATIONS, 1, 0.8)):
        for _ in range(num // _CHUNK):
            now.optimize(_CHUNK, inplace=True, exaggeration=exaggeration, momentum=momentum)
            done += _CHUNK
            yield Progress("Embedding", done, total, "iterations")
    places[:] = now
