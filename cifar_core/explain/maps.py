"""Maps and probabilities of images for a checkpoint; takes a few seconds at most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, load_model
from cifar_core.data.arrays import Floats, Pixels
from cifar_core.data.upload import fit_image
from cifar_core.errors import ConfigError
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import OWN, EvalSplit, Predictions
from cifar_core.explain.gradcam import CamMaps, Target, cam_maps, on_shared_scale
from cifar_core.explain.layers import default_layer, list_layers
from cifar_core.explain.sheet import Card, sheet_png
from cifar_core.explain.targets import (
    BOTH,
    BOTH_NAME,
    TARGETS,
    find_class,
    target_classes,
    target_label,
    topk_classes,
)
from cifar_core.runs.store import Run

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_IMAGES = 48  # on one page
FAINT = 1e-3  # a lower peak is rounding noise, which the library scales to full strength


def compute_cams(
    model: "nn.Module",
    checkpoint: Checkpoint,
    pixels: Pixels,
    layer: str,
    targets: Sequence[Target],
    method: str = "GradCAM",
) -> CamMaps:
    """Maps of (N, 32, 32, 3) uint8 images; see `cam_maps`.

    Args:
        model: As loaded by `load_model` from the checkpoint.

    Raises:
        ConfigError: if layer, method or a class is unknown, or there are too many images.
    """
    if not 1 <= len(pixels) <= MAX_IMAGES:
        raise ConfigError(f"{len(pixels)} images. Choose 1 to {MAX_IMAGES}.")
    return cam_maps(model, inputs(checkpoint, pixels), layer, targets, method)


def probabilities(model: "nn.Module", checkpoint: Checkpoint, pixels: Pixels) -> Floats:
    """(N, K) float32 probabilities, 0..1, of (N, 32, 32, 3) uint8 images, in fp32."""
    import torch

    with torch.inference_mode():
        return model(inputs(checkpoint, pixels)).softmax(dim=1).numpy()


def inputs(checkpoint: Checkpoint, pixels: Pixels) -> "Tensor":
    """(N, 3, 32, 32) float32, normalized as the images of the checkpoint's split."""
    import torch

    from cifar_core.augment.kernels import normalize

    mean, std = (torch.tensor(values).float() for values in checkpoint.normalization)
    return normalize(torch.from_numpy(np.array(pixels)), mean, std)


def raw_note(peak: float) -> str:
    """A map's highest value before scaling, as text."""
    if np.isnan(peak):
        return "no map: division by zero in this method"
    return f"peak {peak:.2g}" if peak else "empty: no region supports this class"


def peak_note(peak: float) -> str:
    """The same for a map drawn at full strength, with a warning if it is only noise."""
    return raw_note(peak) + (" · too weak: amplified noise" if 0 < peak < FAINT else "")


def cards_from(
    predictions: Predictions,
    rows: Sequence[int],
    targets: Sequence[Target],
    cams: CamMaps,
    one_scale: bool = False,
) -> list[Card]:
    """Images with their maps, predictions and peaks.

    Args:
        one_scale: Whether all maps share one scale, instead of each being scaled by itself.
    """

    maps, note = (on_shared_scale([cams])[0], raw_note) if one_scale else (cams.maps, peak_note)
    return [
        map_card(predictions, row, targets[i], maps[i], float(cams.peaks[i]), note)
        for i, row in enumerate(rows)
    ]


def map_card(
    predictions: Predictions,
    row: int,
    target: Target,
    cam: Floats,
    peak: float,
    note: Callable[[float], str] = raw_note,
) -> Card:
    """An image with a (32, 32) map in 0..1, its prediction, and the map's class and peak."""
    examples, name = predictions.examples, target_label(predictions.examples.classes, target)
    line = f"{examples.name(row)} · map: {name}, {note(peak)}"
    return Card(examples.pixels([row])[0], cam, (prediction_label(predictions, row), line))


def prediction_label(predictions: Predictions, row: int) -> str:
    """True class, predicted class and confidence; of one's own image the most probable classes."""
    if predictions.examples.split == OWN:
        return own_label(predictions.examples.classes, np.exp(predictions.log_probs[row]))
    true = predictions.examples.classes[predictions.examples.labels[row]]
    predicted = predictions.examples.classes[predictions.predicted[row]]
    return f"true {true}, predicted {predicted} ({predictions.confidence[row]:.0%})"


@dataclass(frozen=True)
class CamRequest:
    """Which map to compute, and how to draw it.

    Attributes:
        layer: None for the default one.
        target: See `target_classes`; "difference" needs a true class.
        opacity: Of the map over the image, 0..1.
    """

    layer: str | None = None
    method: str = "GradCAM"
    target: str = "predicted"
    opacity: float = 0.7


def draw_rows(
    run_name: str, predictions: Predictions, rows: Sequence[int], request: CamRequest
) -> bytes:
    """A PNG of images with their maps.

    Raises:
        CifarCoreError: if the request does not fit the model.
    """
    model = load_model(predictions.checkpoint)
    layer = request.layer or default_layer(list_layers(model)).name
    targets = target_classes(predictions, rows, request.target)
    pixels = predictions.examples.pixels(list(rows))
    cams = compute_cams(model, predictions.checkpoint, pixels, layer, targets, request.method)
    request = _named(request, predictions.examples.classes)
    heading = (f"{run_name}: {predictions}", heading_of(layer, cams.grid, request))
    cards = cards_from(predictions, rows, targets, cams, one_scale=len(rows) > 1)
    return sheet_png(cards, heading, request.opacity)


def _named(request: CamRequest, classes: Sequence[str]) -> CamRequest:
    """The request with its target class by name instead of by index."""
    if request.target in TARGETS:
        return request
    return replace(request, target=classes[find_class(classes, request.target)])


def heading_of(layer: str, grid: tuple[int, int], request: CamRequest) -> str:
    """Method, layer, grid and target of maps, as text."""
    height, width = grid
    return f"{request.method} at {layer} ({height}x{width}), target: {target_name(request)}"


def target_name(request: CamRequest) -> str:
    """The target of maps within a line of text: a class, or which one of each image."""
    names = {BOTH: BOTH_NAME, **TARGETS}
    return names[request.target].lower() if request.target in names else request.target


def draw_own(run: Run, checkpoint: str, content: bytes, request: CamRequest) -> bytes:
    """A PNG of an uploaded image with its map.

    Raises:
        CifarCoreError: if the file is no image, or the request does not fit the model.
    """
    chosen = find_checkpoint(run.path, checkpoint)
    model, fitted = load_model(chosen), fit_image(content)
    pixels = fitted.pixels[None]
    layer = request.layer or default_layer(list_layers(model)).name
    (probs,), classes = probabilities(model, chosen, pixels), chosen.manifest.classes
    if request.target in ("true", "difference"):
        raise ConfigError("The true class of this image is unknown. Give a class.")
    name = request.target
    target = topk_classes(probs)[0] if name == "predicted" else find_class(classes, name)
    cams = compute_cams(model, chosen, pixels, layer, [target], request.method)
    heading = (f"{run.name}: {chosen.name} (epoch {chosen.epoch})", *filter(None, [fitted.note]))
    cards = cards_from(own_predictions(run.run_id, chosen, pixels[0], probs), [0], [target], cams)
    request = _named(request, classes)
    return sheet_png(cards, (*heading, heading_of(layer, cams.grid, request)), request.opacity)


def own_predictions(
    run_id: str, checkpoint: Checkpoint, pixels: Pixels, probs: Floats
) -> Predictions:
    """An uploaded image as the only one of its split, never stored.

    Its true class is unknown; the predicted one stands in its place.

    Args:
        pixels: (32, 32, 3) uint8.
        probs: (K,) probabilities, 0..1.
    """
    manifest, labels = checkpoint.manifest, np.array([probs.argmax()], np.uint8)
    examples = EvalSplit(
        OWN, manifest.classes, manifest.fingerprint, pixels[None], labels, np.arange(1)
    )
    log_probs = np.log(np.maximum(probs, 1e-12))[None]
    note = PredictionsNote.of(run_id, checkpoint, OWN, flip=False)
    return Predictions(log_probs, examples, checkpoint, note)


def own_label(classes: Sequence[str], probs: Floats) -> str:
    """The three most probable classes of (K,) probabilities."""
    return ", ".join(f"{classes[k]} {probs[k]:.1%}" for k in topk_classes(probs, 3))
