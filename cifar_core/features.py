"""Where images lie in the eyes of a model: penultimate features, neighbours, projections.

    <run>/tables/<checkpoint>-<split>.features.npz   (N, D) float16, written by the evaluation
    <run>/tables/<checkpoint>-<split>.embedding.npz  (N, 2) float32, written by a job of its own

Both are zips, which hold their own sums, and name the weights that they are of. Needs no torch.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoint import Checkpoint
from cifar_core.data.partial import Progress
from cifar_core.errors import CheckpointError
from cifar_core.files import write_atomic
from cifar_core.tables import Examples, table_path

What = Literal["features", "embedding"]
PERPLEXITY = 30  # the default of openTSNE and of van der Maaten & Hinton's examples
EXAGGERATED, ITERATIONS = 250, 500  # openTSNE's own, the first with exaggeration 12
_CHUNK = 25  # iterations between two signs of life


def values_path(run_dir: Path, checkpoint: str, split: str, what: What) -> Path:
    """Where the features or the embedding of a split lie."""
    return table_path(run_dir, checkpoint, split).with_suffix(f".{what}.npz")


def write_values(
    run_dir: Path, checkpoint: Checkpoint, examples: Examples, what: What, values: NDArray[Any]
) -> None:
    """Keeps the (N, …) features or embedding of a checkpoint on a split."""
    path, buffer = values_path(run_dir, checkpoint.name, examples.split, what), io.BytesIO()
    np.savez(buffer, values=values, of=np.array(_subject(checkpoint, examples)))
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, buffer.getvalue())


def read_values(
    run_dir: Path, checkpoint: Checkpoint, examples: Examples, what: What
) -> NDArray[np.float32]:
    """The (N, …) features or embedding of a checkpoint on a split.

    Raises:
        CheckpointError: if they are missing, damaged, or of other weights or data.
    """
    path = values_path(run_dir, checkpoint.name, examples.split, what)
    try:
        with np.load(path, allow_pickle=False) as file:
            values, of = file["values"], file["of"].tolist()
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.name} is missing: it was evaluated before features were kept. {_AGAIN}"
        ) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path.name} is damaged ({error}). {_AGAIN}") from None
    if of != _subject(checkpoint, examples) or len(values) != len(examples.labels):
        raise CheckpointError(f"{path.name} is of other weights or data. {_AGAIN}")
    return values.astype(np.float32)


def _subject(checkpoint: Checkpoint, examples: Examples) -> list[str]:
    return [checkpoint.facts["weights"], examples.fingerprint]


_AGAIN = "Evaluate this checkpoint again; in a terminal: evaluate RUN --again."


def principal(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) features to (N, 2) places along the two directions of largest variance.

    Source: Pearson 1901, through scikit-learn.
    """
    from sklearn.decomposition import PCA

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

    Source: van der Maaten & Hinton 2008, t-SNE, through openTSNE (Poličar et al. 2024,
    https://doi.org/10.18637/jss.v109.i03), begun at the principal components, seeded.
    """
    from openTSNE import TSNEEmbedding, affinity, initialization

    total, done = EXAGGERATED + ITERATIONS, 0
    yield Progress("Finding neighbours", done, total, "iterations")
    near = affinity.PerplexityBasedNN(
        features,
        perplexity=min(PERPLEXITY, (len(features) - 1) // 3),
        metric="cosine",
        method="exact" if len(features) < 1000 else "annoy",
        n_jobs=1,
        random_state=0,
    )
    start = initialization.rescale(principal(features))
    now = TSNEEmbedding(start, near, random_state=0, negative_gradient_method="fft", n_jobs=1)
    for num, exaggeration, momentum in ((EXAGGERATED, 12, 0.5), (ITERATIONS, 1, 0.8)):
        for _ in range(num // _CHUNK):
            now.optimize(_CHUNK, inplace=True, exaggeration=exaggeration, momentum=momentum)
            done += _CHUNK
            yield Progress("Embedding", done, total, "iterations")
    places[:] = now
