"""From a checkpoint and images to maps and probabilities; a few seconds of work at most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoint import Checkpoint, find_checkpoint, load_model
from cifar_core.errors import ConfigError
from cifar_core.gradcam import CamMaps, Floats, Pixels, cam_maps
from cifar_core.layers import default_layer, list_layers
from cifar_core.own_image import fit_image
from cifar_core.runs import Run
from cifar_core.sheet import Card, sheet_png
from cifar_core.tables import Table

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_IMAGES = 48  # on one page
FAINT = 1e-3  # a peak below it is rounding noise, which the library stretches to full strength


def ask_about(table: Table, rows: Sequence[int], target: str) -> list[int]:
    """The class to ask each image about.

    Args:
        target: "predicted", "true", or one class for all, by name or number.

    Raises:
        ConfigError: if there is no such class.
    """
    if target == "predicted":
        return table.predictions[list(rows)].tolist()
    if target == "true":
        return table.examples.labels[list(rows)].tolist()
    return [find_class(table.examples.classes, target)] * len(rows)


def find_class(classes: Sequence[str], text: str) -> int:
    """The number of a class from its name or number.

    Raises:
        ConfigError: if there is none.
    """
    if text in classes:
        return list(classes).index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    raise ConfigError(
        f"There is no class {text!r}. Give 0 to {len(classes) - 1}, or one of: "
        f"{', '.join(classes)}."
    )


def maps_of(
    model: "nn.Module",
    checkpoint: Checkpoint,
    pixels: Pixels,
    layer: str,
    classes: Sequence[int],
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
    return cam_maps(model, _inputs(checkpoint, pixels), layer, classes, method)


def probabilities(model: "nn.Module", checkpoint: Checkpoint, pixels: Pixels) -> Floats:
    """(N, K) float32 probabilities, 0..1, of (N, 32, 32, 3) uint8 images, in fp32."""
    import torch

    with torch.inference_mode():
        return model(_inputs(checkpoint, pixels)).softmax(dim=1).numpy()


def _inputs(checkpoint: Checkpoint, pixels: Pixels) -> "Tensor":
    """(N, 3, 32, 32) float32, normalised as in training."""
    import torch

    from cifar_core.augment.kernels import normalise

    mean, std = (torch.tensor(checkpoint.manifest[key]).float() for key in ("mean", "std"))
    return normalise(torch.from_numpy(np.array(pixels)), mean, std)


def top(probs: NDArray[np.floating], count: int = 5) -> list[int]:
    """Classes of (K,) probabilities, the most probable first."""
    return np.argsort(-probs, kind="stable")[:count].tolist()


def cards_of(table: Table, rows: Sequence[int], asked: Sequence[int], cams: CamMaps) -> list[Card]:
    """Images of a table with their maps and what is to be said of each."""

    def asked_about(row: int, place: int) -> str:
        name = table.examples.classes[asked[place]]
        return f"{table.examples.name(row)} · map: {name}{peak_note(cams.peaks[place])}"

    pixels = table.examples.pixels(list(rows))
    return [
        Card(pixels[place], cams.maps[place], (_verdict(table, row), asked_about(row, place)))
        for place, row in enumerate(rows)
    ]


def _verdict(table: Table, row: int) -> str:
    """What the model takes an image for, and how sure it is."""
    true = table.examples.classes[table.examples.labels[row]]
    predicted = table.examples.classes[table.predictions[row]]
    verdict = "recognised" if true == predicted else f"taken for {predicted}"
    return f"{true}, {verdict} ({table.confidence[row]:.0%})"


def peak_note(peak: float) -> str:
    """A warning where a map is stretched noise, or there is none."""
    if np.isnan(peak):
        return " · no map: the method divides by zero here"
    return " · faint: stretched noise" if peak < FAINT else ""


@dataclass(frozen=True)
class Question:
    """What is asked of a model about images.

    Attributes:
        layer: None for the default one.
        target: See `ask_about`.
        opacity: Of the maps over the images, 0..1.
    """

    layer: str | None = None
    method: str = "GradCAM"
    target: str = "predicted"
    opacity: float = 0.5


def draw_rows(run_name: str, table: Table, rows: Sequence[int], question: Question) -> bytes:
    """A PNG of images of a table with their maps.

    Raises:
        CifarCoreError: if the question does not suit the model.
    """
    model = load_model(table.checkpoint)
    layer = question.layer or default_layer(list_layers(model)).name
    asked = ask_about(table, rows, question.target)
    pixels = table.examples.pixels(list(rows))
    cams = maps_of(model, table.checkpoint, pixels, layer, asked, question.method)
    question = _named(question, table.examples.classes)
    heading = (f"{run_name}: {table}", heading_of(layer, cams, question))
    return sheet_png(cards_of(table, rows, asked, cams), heading, question.opacity)


def _named(question: Question, classes: Sequence[str]) -> Question:
    """The question with its class by name, which may have been given by number."""
    if question.target in ("predicted", "true"):
        return question
    return replace(question, target=classes[find_class(classes, question.target)])


def heading_of(layer: str, cams: CamMaps, question: Question) -> str:
    """How maps were made."""
    height, width = cams.grid
    return f"{question.method} at {layer} ({height}x{width}), target: {question.target} class"


def draw_own(run: Run, checkpoint: str, content: bytes, question: Question) -> bytes:
    """A PNG of somebody's own picture with its map.

    Raises:
        CifarCoreError: if it is no picture, or the question does not suit the model.
    """
    found = find_checkpoint(run.path, checkpoint)
    model, pixels = load_model(found), fit_image(content).pixels[None]
    layer = question.layer or default_layer(list_layers(model)).name
    classes, (probs,) = found.manifest["classes"], probabilities(model, found, pixels)
    if question.target == "true":
        raise ConfigError("The true class of this picture is not known. Give a class.")
    target = question.target
    asked = top(probs)[0] if target == "predicted" else find_class(classes, target)
    cams = maps_of(model, found, pixels, layer, [asked], question.method)
    heading = (f"{run.name}: {found.name} (epoch {found.epoch})",)
    card = own_card(pixels[0], classes, probs, asked, cams)
    question = _named(question, classes)
    return sheet_png([card], (*heading, heading_of(layer, cams, question)), question.opacity)


def own_card(
    pixels: Pixels, classes: Sequence[str], probs: Floats, asked: int, cams: CamMaps
) -> Card:
    """Somebody's own picture with its map; (32, 32, 3) pixels, (K,) probabilities."""
    guesses = ", ".join(f"{classes[k]} {probs[k]:.1%}" for k in top(probs, 3))
    return Card(pixels, cams.maps[0], (guesses, f"map: {classes[asked]}{peak_note(cams.peaks[0])}"))
