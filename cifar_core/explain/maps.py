"""From a checkpoint and images to maps and probabilities; a few seconds of work at most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.checkpoints.checkpoint import Checkpoint, find_checkpoint, load_model
from cifar_core.data.upload import fit_image
from cifar_core.errors import ConfigError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.gradcam import CamMaps, Target, cam_maps, on_shared_scale
from cifar_core.explain.layers import default_layer, list_layers
from cifar_core.explain.overlay import Floats, Pixels
from cifar_core.explain.sheet import Card, sheet_png
from cifar_core.explain.targets import (
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
FAINT = 1e-3  # a peak below it is rounding noise, which the library stretches to full strength


def compute_cams(
    model: "nn.Module",
    checkpoint: Checkpoint,
    pixels: Pixels,
    layer: str,
    classes: Sequence[Target],
    method: str = "GradCAM",
) -> CamMaps:
    """Maps of (N, 32, 32, 3) uint8 images; see `cam_maps`.

    Args:
        model: As `load_model` gives it for the checkpoint.

    Raises:
        ConfigError: if layer, method or a class is not there, or there are too many images.
    """
    if not 1 <= len(pixels) <= MAX_IMAGES:
        raise ConfigError(f"{len(pixels)} images were given. Choose 1 to {MAX_IMAGES}.")
    return cam_maps(model, inputs(checkpoint, pixels), layer, classes, method)


def probabilities(model: "nn.Module", checkpoint: Checkpoint, pixels: Pixels) -> Floats:
    """(N, K) float32 probabilities, 0..1, of (N, 32, 32, 3) uint8 images, in fp32."""
    import torch

    with torch.inference_mode():
        return model(inputs(checkpoint, pixels)).softmax(dim=1).numpy()


def inputs(checkpoint: Checkpoint, pixels: Pixels) -> "Tensor":
    """(N, 3, 32, 32) float32, normalised as in training."""
    import torch

    from cifar_core.augment.kernels import normalise

    mean, std = (torch.tensor(checkpoint.manifest[key]).float() for key in ("mean", "std"))
    return normalise(torch.from_numpy(np.array(pixels)), mean, std)


def cards_from(
    predictions: Predictions,
    rows: Sequence[int],
    asked: Sequence[Target],
    cams: CamMaps,
    one_scale: bool = False,
) -> list[Card]:
    """Images of a table with their maps and what is to be said of each.

    Args:
        one_scale: Whether the maps are drawn as strong as they are beside each other, instead of
            each stretched by itself.
    """

    def asked_about(row: int, place: int) -> str:
        note = (raw_note if one_scale else peak_note)(float(cams.peaks[place]))
        name = target_label(predictions.examples.classes, asked[place])
        return f"{predictions.examples.name(row)} · map: {name}, {note}"

    pixels = predictions.examples.pixels(list(rows))
    maps = on_shared_scale([cams])[0] if one_scale else cams.maps
    return [
        Card(
            pixels[place],
            maps[place],
            (prediction_label(predictions, row), asked_about(row, place)),
        )
        for place, row in enumerate(rows)
    ]


def prediction_label(predictions: Predictions, row: int) -> str:
    """What the model takes an image for, and how sure it is."""
    true = predictions.examples.classes[predictions.examples.labels[row]]
    predicted = predictions.examples.classes[predictions.predicted[row]]
    verdict = "recognised" if true == predicted else f"taken for {predicted}"
    return f"{true}, {verdict} ({predictions.confidence[row]:.0%})"


def raw_note(peak: float) -> str:
    """A map's highest value before it was stretched."""
    if np.isnan(peak):
        return "no map: the method divides by zero here"
    return f"peak {peak:.2g}" if peak else "empty: nothing here speaks for it"


def peak_note(peak: float) -> str:
    """The same of a map that is drawn stretched, which a faint one should not be."""
    return raw_note(peak) + (" · faint: stretched noise" if 0 < peak < FAINT else "")


@dataclass(frozen=True)
class CamRequest:
    """What is asked of a model about images.

    Attributes:
        layer: None for the default one.
        target: See `target_classes`; the difference needs a true class.
        opacity: Of the maps over the images, 0..1.
    """

    layer: str | None = None
    method: str = "GradCAM"
    target: str = "predicted"
    opacity: float = 0.5


def draw_rows(
    run_name: str, predictions: Predictions, rows: Sequence[int], request: CamRequest
) -> bytes:
    """A PNG of images of a table with their maps.

    Raises:
        CifarCoreError: if the request does not suit the model.
    """
    model = load_model(predictions.checkpoint)
    layer = request.layer or default_layer(list_layers(model)).name
    asked = target_classes(predictions, rows, request.target)
    pixels = predictions.examples.pixels(list(rows))
    cams = compute_cams(model, predictions.checkpoint, pixels, layer, asked, request.method)
    request = _named(request, predictions.examples.classes)
    heading = (f"{run_name}: {predictions}", heading_of(layer, cams, request))
    cards = cards_from(predictions, rows, asked, cams, one_scale=len(rows) > 1)
    return sheet_png(cards, heading, request.opacity)


def _named(request: CamRequest, classes: Sequence[str]) -> CamRequest:
    """The request with its class by name, which may have been given by number."""
    if request.target in TARGETS:
        return request
    return replace(request, target=classes[find_class(classes, request.target)])


def heading_of(layer: str, cams: CamMaps, request: CamRequest) -> str:
    """How maps were made."""
    height, width = cams.grid
    return f"{request.method} at {layer} ({height}x{width}), target: {target_name(request)}"


def target_name(request: CamRequest) -> str:
    """What people call what is asked about."""
    return TARGETS.get(request.target, f"the class {request.target}")


def draw_own(run: Run, checkpoint: str, content: bytes, request: CamRequest) -> bytes:
    """A PNG of somebody's own picture with its map.

    Raises:
        CifarCoreError: if it is no picture, or the request does not suit the model.
    """
    found = find_checkpoint(run.path, checkpoint)
    model, pixels = load_model(found), fit_image(content).pixels[None]
    layer = request.layer or default_layer(list_layers(model)).name
    classes, (probs,) = found.manifest["classes"], probabilities(model, found, pixels)
    if request.target in ("true", "difference"):
        raise ConfigError("The true class of this picture is not known. Give a class.")
    target = request.target
    asked = topk_classes(probs)[0] if target == "predicted" else find_class(classes, target)
    cams = compute_cams(model, found, pixels, layer, [asked], request.method)
    heading = (f"{run.name}: {found.name} (epoch {found.epoch})",)
    card = own_card(pixels[0], classes, probs, asked, cams)
    request = _named(request, classes)
    return sheet_png([card], (*heading, heading_of(layer, cams, request)), request.opacity)


def own_card(
    pixels: Pixels, classes: Sequence[str], probs: Floats, asked: int, cams: CamMaps
) -> Card:
    """Somebody's own picture with its map; (32, 32, 3) pixels, (K,) probabilities."""
    guesses = ", ".join(f"{classes[k]} {probs[k]:.1%}" for k in topk_classes(probs, 3))
    about = f"map: {classes[asked]}, {peak_note(cams.peaks[0])}"
    return Card(pixels, cams.maps[0], (guesses, about))
