"""Ranks layers and methods of a checkpoint by ROAD, a measure of how faithful maps are.

Removing the most relevant pixels should lower the score, removing the least relevant ones should
not; the larger the difference, the more faithful the map.

Source: Rong et al. 2022, https://arxiv.org/abs/2202.00449, through pytorch-grad-cam.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from cifar_core.data.arrays import Floats
from cifar_core.errors import RunError
from cifar_core.evaluation.predictions import EvalSplit
from cifar_core.explain.methods import METHODS, RANDOM
from cifar_core.records import layout
from cifar_core.system.json_files import read_typed, write_typed
from cifar_core.system.progress import Progress
from cifar_core.system.seeds import Purpose, derive_seed, seeded
from cifar_core.system.threads import reduced_threads
from cifar_core.validation import STORED

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cifar_core.checkpoints.checkpoint import Checkpoint
    from cifar_core.explain.layers import TargetLayer

NUM_IMAGES = 50
PERCENTILES = (20, 40, 60, 80)
# So that resnet34 too takes less than three minutes on two cores.
MAX_LAYERS, NUM_SAMPLED = 10, 6
RANKED = [name for name, method in METHODS.items() if method.uses_gradients]


@dataclass(frozen=True)
class RoadScore:
    """ROAD score of the maps of one layer and method.

    Attributes:
        score: Mean over the images of how much more the probability of the predicted class drops
            without the most relevant than without the least relevant pixels, halved; higher is
            better.
        error: Standard error of that mean.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    layer: str
    method: str
    score: float
    error: float


@dataclass(frozen=True)
class RankingFile:
    """road.json: every pair that was tried, in forward order."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    scores: tuple[RoadScore, ...]
    format: Literal[1] = 1


@dataclass(frozen=True)
class Ranking:
    """All layers and methods tried, the most faithful first.

    Attributes:
        random_score: The best score of random maps; a method that scores no higher is useless.
        layers: In forward order.
    """

    ranked: tuple[RoadScore, ...]
    random_score: float
    layers: tuple[str, ...]

    def score_matrix(self) -> NDArray[np.float64]:
        """(L, M) scores of the layers by the methods of `RANKED`; nan where one is missing."""
        scores = {(pair.layer, pair.method): pair.score for pair in self.ranked}
        rows = [[scores.get((layer, method), np.nan) for method in RANKED] for layer in self.layers]
        return np.array(rows, np.float64)

    def __str__(self) -> str:
        """The result in one sentence; within two standard errors counts as equal."""
        first, margin = self.ranked[0], 2 * self.ranked[0].error
        ties = sum(first.score - pair.score < margin for pair in self.ranked[1:])
        close = f"; {ties} more within two standard errors" if ties else ""
        clearly = first.score - self.random_score > margin
        beats = "above" if clearly else "not clearly above"
        return (
            f"{first.method} at {first.layer} is the most faithful (ROAD {first.score:.3f} ± "
            f"{first.error:.3f}{close}), {beats} random maps ({self.random_score:.3f})."
        )


def rank_by_road(
    model: "nn.Module", checkpoint: "Checkpoint", examples: EvalSplit, folder: Path
) -> Iterator[Progress]:
    """Scores each offered layer, or a sample, with each gradient method; writes the `Ranking`.

    Args:
        model: As loaded by `load_model` from the checkpoint.
        examples: `NUM_IMAGES` of its images are drawn with a fixed seed.
    """
    from cifar_core.explain.gradcam import cam_maps
    from cifar_core.explain.layers import list_layers
    from cifar_core.explain.maps import inputs, probabilities

    checkpoint = checkpoint.for_split(examples.split)
    pairs = _candidates(list_layers(model))
    order = np.random.default_rng(derive_seed(0, Purpose.SHUFFLE)).permutation(len(examples.labels))
    pixels = examples.pixels(np.sort(order[:NUM_IMAGES]))
    predicted = probabilities(model, checkpoint, pixels).argmax(axis=1).tolist()
    images, scored = inputs(checkpoint, pixels), list[RoadScore]()
    yield Progress("Ranking", 0, len(pairs), "pairs")
    for layer, method in pairs:
        cams = cam_maps(model, images, layer, predicted, method).maps
        with reduced_threads():
            scores = road_scores(model, images, cams, predicted)
        error = float(scores.std(ddof=1) / np.sqrt(len(scores)))
        scored.append(RoadScore(layer, method, float(scores.mean()), error))
        yield Progress(f"{method} at {layer}", len(scored), len(pairs), "pairs")
    write_typed(folder / layout.RANKING, RankingFile(tuple(scored)))


def _candidates(layers: "Sequence[TargetLayer]") -> list[tuple[str, str]]:
    """Each layer to rank with each method, and random maps for one layer of each grid size."""
    ranked = _ranked_layers([layer for layer in layers if layer.offered])
    grids = {(layer.height, layer.width): layer.name for layer in ranked}
    pairs = [(layer.name, method) for layer in ranked for method in RANKED]
    return pairs + [(name, RANDOM) for name in grids.values()]


def _ranked_layers(offered: "Sequence[TargetLayer]") -> "list[TargetLayer]":
    """The offered layers, if they are more than `MAX_LAYERS` a sample of them, in forward order.

    Blocks and convolutions are sampled evenly, the first, the last and the default one included;
    a convolution comes with its activated output.
    """
    from cifar_core.explain.layers import default_layer

    if len(offered) <= MAX_LAYERS:
        return list(offered)
    parts: list[list[TargetLayer]] = []
    for layer in offered:
        if layer.activated:
            parts[-1].append(layer)
        else:
            parts.append([layer])
    sampled = set(np.linspace(0, len(parts) - 1, NUM_SAMPLED).round().astype(int).tolist())
    default = default_layer(list(offered))
    return [x for n, part in enumerate(parts) if n in sampled or default in part for x in part]


def road_scores(
    model: "nn.Module", images: "Tensor", cams: Floats, classes: Sequence[int]
) -> Floats:
    """(N,) float32 ROAD scores of (N, H, W) maps of (N, 3, H, W) images, one class each.

    Only the order of a map's pixels counts. Ties are broken at random with a fixed seed: where
    many pixels are 0, the library would remove all of them at once and leave no image.
    """
    import torch
    from pytorch_grad_cam.metrics.road import ROADCombined
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    targets: list[Any] = [ClassifierOutputSoftmaxTarget(number) for number in classes]
    seed = derive_seed(0, Purpose.AUGMENT)
    with torch.inference_mode():
        original_logits = model(images)

    def cached_model(batch: "Tensor") -> "Tensor":
        """The library passes the original images at each of eight steps: half the time."""
        return original_logits if batch is images else model(batch)

    with seeded(seed, torch.device("cpu")), warnings.catch_warnings():  # the library adds noise
        warnings.simplefilter("ignore", DeprecationWarning)  # of numpy, about torch's tensors
        function: Any = cached_model
        return ROADCombined(list(PERCENTILES))(images, _ranks(cams, seed), targets, function)


def _ranks(cams: Floats, seed: int) -> Floats:
    """Each map's pixels by rank, 0..1."""
    flat = cams.reshape(len(cams), -1)
    tie_break = np.random.default_rng(seed).random(flat.shape)
    order = np.lexsort((tie_break, flat), axis=1)
    ranks = np.empty(flat.shape, np.float32)
    np.put_along_axis(ranks, order, np.linspace(0, 1, flat.shape[1], dtype=np.float32)[None], 1)
    return ranks.reshape(cams.shape)


def load_ranking(folder: Path) -> Ranking:
    """Reads what `rank_by_road` wrote.

    Raises:
        RunError: if it is missing or damaged.
    """
    stored = read_typed(folder / layout.RANKING, RankingFile, RunError, "Rank again.")
    scores = stored.scores if stored else ()
    ranked = sorted((one for one in scores if one.method != RANDOM), key=lambda one: -one.score)
    random = [one.score for one in scores if one.method == RANDOM]
    if not ranked or not random:
        raise RunError("The ranking is missing or incomplete. Rank again.")
    layers = dict.fromkeys(one.layer for one in scores if one.method != RANDOM)
    return Ranking((ranked[0], *ranked[1:]), max(random), tuple(layers))
