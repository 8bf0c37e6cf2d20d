"""From a checkpoint and images to maps and probabilities; a few seconds of work at most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.checkpoint import Checkpoint, find_checkpoint, load_model
from cifar_core.errors import ConfigError
from cifar_core.gradcam import CamMaps, Target, cam_maps, on_one_scale
from cifar_core.layers import default_layer, list_layers
from cifar_core.own_image import fit_image
from cifar_core.painting import Floats, Pixels
from cifar_core.runs import Run
from cifar_core.sheet import Card, sheet_png
from cifar_core.tables import Table

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_IMAGES = 48  # on one page
TARGETS = {
    "predicted": "the predicted class",
    "true": "the true class",
    "difference": "the predicted, not the true class",
}
FAINT = 1e-3  # a peak below it is rounding noise, which the library stretches to full strength


def ask_about(table: Table, rows: Sequence[int], target: str) -> list[Target]:
    """The class to ask each image about.

    Args:
        target: "predicted", "true", "difference", or one class for all, by name or number. The
            difference is between the predicted and the true class; where they are the same, the
            most probable other class takes the place of the true one.

    Raises:
        ConfigError: if there is no such class.
    """
    if target == "predicted":
        return table.predictions[list(rows)].tolist()
    if target == "true":
        return table.examples.labels[list(rows)].tolist()
    if target == "difference":
        return [_rivals(table, row) for row in rows]
    return [find_class(table.examples.classes, target)] * len(rows)


def _rivals(table: Table, row: int) -> tuple[int, int]:
    first, second = top(table.log_probs[row], 2)
    true = int(table.examples.labels[row])
    return first, (second if first == true else true)


def asked_name(classes: Sequence[str], target: Target) -> str:
    """What people call what a map was asked about."""
    if isinstance(target, int):
        return classes[target]
    return f"{classes[target[0]]}, not {classes[target[1]]}"


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


def top(probs: NDArray[np.floating], count: int = 5) -> list[int]:
    """Classes of (K,) probabilities, the most probable first."""
    return np.argsort(-probs, kind="stable")[:count].tolist()


def cards_of(
    table: Table,
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
        name = asked_name(table.examples.classes, asked[place])
        note = (raw_note if one_scale else peak_note)(float(cams.peaks[place]))
        return f"{table.examples.name(row)} · map: {name}, {note}"

    pixels = table.examples.pixels(list(rows))
    maps = on_one_scale([cams])[0] if one_scale else cams.maps
    return [
        Card(pixels[place], maps[place], (verdict(table, row), asked_about(row, place)))
        for place, row in enumerate(rows)
    ]


def verdict(table: Table, row: int) -> str:
    """What the model takes an image for, and how sure it is."""
    true = table.examples.classes[table.examples.labels[row]]
    predicted = table.examples.classes[table.predictions[row]]
    verdict = "recognised" if true == predicted else f"taken for {predicted}"
    return f"{true}, {verdict} ({table.confidence[row]:.0%})"


def raw_note(peak: float) -> str:
    """A map's highest value before it was stretched."""
    if np.isnan(peak):
        return "no map: the method divides by zero here"
    return f"peak {peak:.2g}" if peak else "empty: nothing here speaks for it"


def peak_note(peak: float) -> str:
    """The same of a map that is drawn stretched, which a faint one should not be."""
    return raw_note(peak) + (" · faint: stretched noise" if 0 < peak < FAINT else "")


@dataclass(frozen=True)
class Question:
    """What is asked of a model about images.

    Attributes:
        layer: None for the default one.
        target: See `ask_about`; the difference needs a true class.
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
    cards = cards_of(table, rows, asked, cams, one_scale=len(rows) > 1)
    return sheet_png(cards, heading, question.opacity)


def _named(question: Question, classes: Sequence[str]) -> Question:
    """The question with its class by name, which may have been given by number."""
    if question.target in TARGETS:
        return question
    return replace(question, target=classes[find_class(classes, question.target)])


def heading_of(layer: str, cams: CamMaps, question: Question) -> str:
    """How maps were made."""
    height, width = cams.grid
    return f"{question.method} at {layer} ({height}x{width}), target: {target_name(question)}"


def target_name(question: Question) -> str:
    """What people call what is asked about."""
    return TARGETS.get(question.target, f"the class {question.target}")


def draw_own(run: Run, checkpoint: str, content: bytes, question: Question) -> bytes:
    """A PNG of somebody's own picture with its map.

    Raises:
        CifarCoreError: if it is no picture, or the question does not suit the model.
    """
    found = find_checkpoint(run.path, checkpoint)
    model, pixels = load_model(found), fit_image(content).pixels[None]
    layer = question.layer or default_layer(list_layers(model)).name
    classes, (probs,) = found.manifest["classes"], probabilities(model, found, pixels)
    if question.target in ("true", "difference"):
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
    about = f"map: {classes[asked]}, {peak_note(cams.peaks[0])}"
    return Card(pixels, cams.maps[0], (guesses, about))
