"""Penultimate features of the images, nearest neighbors, PCA and t-SNE.

    <run>/tables/<checkpoint>-<split>.features.npz   (N, D) float16, written by an evaluation
    <run>/tables/<checkpoint>-<split>.embedding.npz  (N, 2) float32, written by an embedding job

Both are zips with checksums of their own, and name the weights they are of. Needs no torch.
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
from cifar_core.runs.store import TrainingRun
from cifar_core.system.files import read_npz, write_atomic
from cifar_core.system.progress import Progress

Kind = Literal["features", "embedding"]
PERPLEXITY = 30  # the default of openTSNE and of van der Maaten & Hinton's examples
EXAGGERATION_ITERATIONS, ITERATIONS = (
    250,
    500,
)  # defaults of openTSNE, the first with exaggeration 12
MIN_IMAGES = 8
_CHUNK = 25  # iterations between two progress reports


def find_values(run: TrainingRun, checkpoint: str, split: str, kind: Kind) -> Path:
    """Path of a run's features or embedding: what was computed here before what shipped."""
    own = values_path(run.derived, checkpoint, split, kind)
    return own if own.exists() else values_path(run.path, checkpoint, split, kind)


def values_path(run_dir: Path, checkpoint: str, split: str, kind: Kind) -> Path:
    """Path of the features or the embedding of a split."""
    return predictions_path(run_dir, checkpoint, split).with_suffix(f".{kind}.npz")


def write_values(
    run_dir: Path, checkpoint: Checkpoint, examples: EvalSplit, kind: Kind, values: NDArray[Any]
) -> None:
    """Stores the (N, …) features or embedding of a checkpoint on a split."""
    path, buffer = values_path(run_dir, checkpoint.name, examples.split, kind), io.BytesIO()
    np.savez(buffer, values=values, of=np.array(_subject(checkpoint, examples)))
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, buffer.getvalue())


def read_values(
    path: Path, checkpoint: Checkpoint, examples: EvalSplit, kind: Kind
) -> NDArray[np.float32]:
    """The (N, …) features or embedding of a checkpoint on a split.

    Args:
        path: Of the file, as `find_values` gives it.

    Raises:
        CheckpointError: if they are missing, damaged, or of other weights or data.
    """
    again = _AGAIN[kind]
    if not path.exists():
        raise CheckpointError(_MISSING[kind])
    match read_npz(path):
        case {"values": values, "of": of} if values.ndim == 2 and values.dtype.kind == "f":
            if of.tolist() == _subject(checkpoint, examples) and len(values) == len(
                examples.labels
            ):
                return values.astype(np.float32)
            raise CheckpointError(f"{path.name} was computed with other weights or data. {again}")
    raise CheckpointError(f"{path.name} is damaged. {again}")


def _subject(checkpoint: Checkpoint, examples: EvalSplit) -> list[str]:
    return [checkpoint.weights_sha256, examples.fingerprint]


_AGAIN: dict[Kind, str] = {
    "features": "Compute the features again; in a terminal: evaluate RUN --again.",
    "embedding": "Compute t-SNE again.",
}
_MISSING: dict[Kind, str] = {
    "features": "The features of these images have not been computed yet; neighbors, PCA and "
    "t-SNE need them. In a terminal: evaluate RUN --again.",
    "embedding": "t-SNE of these images has not been computed yet.",
}


def pca_projection(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Projects (N, D) features to (N, 2) float32 coordinates by PCA.

    Raises:
        ConfigError: if there are too few images, or all features are equal.

    Source: Pearson 1901, through scikit-learn.
    """
    from sklearn.decomposition import PCA

    if len(features) < MIN_IMAGES or features.shape[1] < 2 or not np.ptp(features, axis=0).any():
        raise ConfigError(
            f"{len(features):,} images of {features.shape[1]} features cannot be projected: PCA "
            f"needs at least {MIN_IMAGES} images and 2 features that differ. Choose another split "
            "or checkpoint."
        )

    return PCA(2, svd_solver="covariance_eigh").fit_transform(features).astype(np.float32)


def neighbors(features: NDArray[np.float32], row: int, count: int) -> list[tuple[int, float]]:
    """The `count` nearest rows of (N, D) features, with their cosine similarity, -1..1."""
    lengths = np.linalg.norm(features, axis=1)
    similarity = features @ features[row] / np.maximum(lengths * lengths[row], 1e-12)
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(count, len(features) - 1)]
    return [(int(other), float(similarity[other])) for other in order]


def tsne_embedding(
    features: NDArray[np.float32], coordinates: NDArray[np.float32]
) -> Iterator[Progress]:
    """Fills (N, 2) coordinates with the t-SNE embedding of (N, D) features.

    Raises:
        ConfigError: as `pca_projection`.

    Source: van der Maaten & Hinton 2008, t-SNE, through openTSNE (Poličar et al. 2024,
    https://doi.org/10.18637/jss.v109.i03), initialised with PCA, seeded.
    """
    from openTSNE import TSNEEmbedding, affinity, initialization

    total, done = EXAGGERATION_ITERATIONS + ITERATIONS, 0
    yield Progress("Computing nearest neighbors", done, total, "iterations")
    start = initialization.rescale(pca_projection(features))
    affinities = affinity.PerplexityBasedNN(
        features,
        perplexity=min(PERPLEXITY, (len(features) - 1) // 3),
        metric="cosine",
        method="exact" if len(features) < 1000 else "annoy",
        n_jobs=1,
        random_state=0,
    )
    embedding = TSNEEmbedding(
        start, affinities, random_state=0, negative_gradient_method="fft", n_jobs=1
    )
    for num, exaggeration, momentum in ((EXAGGERATION_ITERATIONS, 12, 0.5), (ITERATIONS, 1, 0.8)):
        for _ in range(num // _CHUNK):
            embedding.optimize(_CHUNK, inplace=True, exaggeration=exaggeration, momentum=momentum)
            done += _CHUNK
            yield Progress("Computing t-SNE", done, total, "iterations")
    coordinates[:] = embedding
