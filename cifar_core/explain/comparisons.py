"""One image in several maps that may be compared: what to draw, and on which scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.checkpoints.checkpoint import Checkpoint, list_checkpoints
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.gradcam import CamMaps, Target, on_shared_scale
from cifar_core.explain.layers import TargetLayer
from cifar_core.explain.maps import CamRequest, raw_note, target_name
from cifar_core.explain.methods import METHODS, RANDOM
from cifar_core.explain.overlay import Floats
from cifar_core.explain.targets import target_classes, target_label
from cifar_core.runs.store import Run

if TYPE_CHECKING:
    from torch import nn

MAX_EPOCHS = 12  # maps of one image along a run
KINDS = {
    "targets": "Targets",
    "layers": "All layers",
    "methods": "All methods",
    "epochs": "Kept epochs",
    "other": "Another run",
    "sanity": "Sanity check",
}
ABOUT = {
    "targets": "What speaks for the predicted class, for the true one, and for one and not the "
    "other. One scale for all.",
    "layers": "The same request at each layer. Each map has a scale of its own, its peak is "
    "written below: values of different layers cannot be compared.",
    "methods": "The same request by each method, a slow one only if it is chosen above. Each map "
    "has a scale of its own, its peak is written below: values of different methods cannot be "
    "compared.",
    "epochs": "The same request to the weights that were kept along the run. One scale for all.",
    "other": "The same request to another trained model. One scale for both where they are the "
    "same network and have the layer in common; else each has its own.",
    "sanity": "Beside the map stand that of the same network before training and one by chance. "
    "Each has a scale of its own, its peak is written below: it is the shape that counts. A map "
    "of the same shape as these says nothing of what was learned.",
}


@dataclass(frozen=True)
class View:
    """One of the maps of an image.

    Attributes:
        untrained: Whether the network is taken as it was before training.
    """

    label: str
    checkpoint: Checkpoint
    layer: str
    method: str
    target: Target
    untrained: bool = False

    @property
    def scale(self) -> tuple[object, ...]:
        """Equal for views whose maps can be compared: of one network, layer and method."""
        model = self.checkpoint.manifest.get("model")
        return model, self.layer, self.method, self.untrained


@dataclass(frozen=True, eq=False)
class Panel:
    """A map ready to be drawn.

    Attributes:
        cam: (32, 32) float32, 0..1.
        note: How strong it is; of what grid.
        grid: Rows and columns of the layer.
    """

    label: str
    cam: Floats
    note: str
    grid: tuple[int, int]


def views(
    kind: str,
    run: Run,
    predictions: Predictions,
    row: int,
    request: CamRequest,
    layers: Sequence[TargetLayer],
    other: View | None = None,
) -> list[View]:
    """What to draw of an image for one of `KINDS`.

    Args:
        request: Its layer has to be given.
        layers: Of the table's checkpoint.
        other: For "other": the view to be put beside; what it is asked about is filled in.
    """
    classes = predictions.examples.classes
    (asked,) = target_classes(predictions, [row], request.target)
    first = View("", predictions.checkpoint, str(request.layer), request.method, asked)
    if kind == "targets":
        wanted = [
            target_classes(predictions, [row], t)[0] for t in ("predicted", "true", "difference")
        ]
        targets = dict.fromkeys([*wanted, asked])
        return [replace(first, target=t, label=target_label(classes, t)) for t in targets]
    if kind == "layers":
        offered = [layer for layer in layers if layer.offered]
        return [replace(first, layer=one.name, label=one.label) for one in offered]
    if kind == "methods":
        names = [name for name, one in METHODS.items() if not one.slow or name == request.method]
        return [replace(first, method=name, label=name) for name in names]
    if kind == "epochs":
        return [
            replace(first, checkpoint=one, label=f"epoch {one.epoch}")
            for one in epoch_checkpoints(run)
        ]
    if kind == "other":
        beside = [replace(other, target=asked)] if other else []
        return [replace(first, label=run.name), *beside]
    return [
        replace(first, label="trained"),
        replace(first, label="untrained", untrained=True),
        replace(first, label="by chance", method=RANDOM),
    ]


def untrained_model(run: Run) -> "nn.Module":
    """The network of a run with the random weights it would begin with, in eval mode on the CPU.

    Raises:
        DataError: if its data are gone, which a first layer may be made from.
    """
    from cifar_core.data import open_dataset
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import initial_model

    assert run.config is not None
    config = run.config.model_copy(update={"weights": "", "compile": False})
    runtime = choose_runtime("cpu", "fp32", "contiguous")
    batches = TrainingBatches(config, open_dataset(config.data), runtime)
    return initial_model(config, batches, runtime).eval()


def epoch_checkpoints(run: Run) -> list[Checkpoint]:
    """The checkpoints at the ends of a run's epochs, in order, at most `MAX_EPOCHS` of them."""
    ended = [one for one in list_checkpoints(run.path) if one.manifest.get("figures")]
    kept = list({one.epoch: one for one in ended}.values())
    places = np.unique(np.linspace(0, len(kept) - 1, MAX_EPOCHS).round().astype(int))
    return [kept[place] for place in places] if kept else []


def shared_heading(kind: str, request: CamRequest) -> str:
    """What all maps of a kind have in common, for the heading of a picture of them."""
    told = {
        "methods": request.method,
        "layers": f"at {request.layer}",
        "targets": f"for {target_name(request)}",
    }
    return f"{KINDS[kind]}: " + ", ".join(text for of, text in told.items() if of != kind)


def panels(drawn: Sequence[View], cams: Sequence[CamMaps]) -> list[Panel]:
    """The views with their (1, 32, 32) maps: those that can be compared share a scale."""
    scaled: dict[int, Floats] = {}
    for scale in {view.scale for view in drawn}:
        places = [n for n, view in enumerate(drawn) if view.scale == scale]
        together = on_shared_scale([cams[n] for n in places])
        scaled |= dict(zip(places, together, strict=True))
    return [
        Panel(view.label, np.clip(scaled[n][0], 0, 1), raw_note(float(cam.peaks[0])), cam.grid)
        for n, (view, cam) in enumerate(zip(drawn, cams, strict=True))
    ]
