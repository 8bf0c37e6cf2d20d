"""Several maps of one image, to compare: which maps, and on which scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.checkpoints.checkpoint import Checkpoint, list_checkpoints
from cifar_core.data.arrays import Floats
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.gradcam import CamMaps, Target, on_shared_scale
from cifar_core.explain.layers import TargetLayer
from cifar_core.explain.maps import CamRequest, raw_note, target_name
from cifar_core.explain.methods import METHODS, RANDOM
from cifar_core.explain.targets import target_classes, target_label
from cifar_core.runs.store import TrainingRun

if TYPE_CHECKING:
    from torch import nn

MAX_EPOCHS = 12  # maps of one image along a run
KINDS = {
    "targets": "Targets",
    "layers": "All layers",
    "methods": "All methods",
    "epochs": "Saved epochs",
    "other": "Another run",
    "sanity": "Sanity check",
}
OWN_SCALES = "Each map has its own scale, with its peak below it"
ABOUT = {
    "targets": "Maps for the predicted class, the true class, and the predicted minus the true "
    "class, on one scale.",
    "layers": f"The same target class at every layer. {OWN_SCALES}; values of different layers "
    "are not comparable.",
    "methods": "The same target class with every method; slow methods only if selected above. "
    f"{OWN_SCALES}; values of different methods are not comparable.",
    "epochs": "The same target class at every saved epoch, on one scale.",
    "other": "The same target class for two trained models. One scale if both have the same "
    "network and layer, else one each.",
    "sanity": "The map next to those of the same network with random weights and of RandomCAM. "
    f"{OWN_SCALES}; compare their shapes. A map that looks like these does not show what the model "
    "learned.",
}


@dataclass(frozen=True)
class View:
    """One of several maps of an image.

    Attributes:
        target: Class or pair of classes; see `Target`.
        untrained: Whether the network has random weights, also where its run started from others.
    """

    label: str
    checkpoint: Checkpoint
    layer: str
    method: str
    target: Target
    untrained: bool = False

    @property
    def scale(self) -> tuple[object, ...]:
        """Equal for views whose maps are comparable: same network, layer and method."""
        model = self.checkpoint.manifest.model
        return model, self.layer, self.method, self.untrained


@dataclass(frozen=True, eq=False)
class Panel:
    """A map ready to be drawn.

    Attributes:
        cam: (32, 32) float32, 0..1.
        note: Its peak.
        grid: Rows and columns of the layer.
    """

    label: str
    cam: Floats
    note: str
    grid: tuple[int, int]


def views(
    kind: str,
    run: TrainingRun,
    predictions: Predictions,
    row: int,
    request: CamRequest,
    layers: Sequence[TargetLayer],
    other: View | None = None,
) -> list[View]:
    """The maps to compute of an image for one of `KINDS`.

    Args:
        request: With a layer.
        layers: Of the checkpoint.
        other: The second view for "other"; its target is replaced.
    """
    classes, split = predictions.examples.classes, predictions.examples.split
    (target,) = target_classes(predictions, [row], request.target)
    first = View("", predictions.checkpoint, str(request.layer), request.method, target)
    if kind == "targets":
        names = ("predicted", "true", "difference")
        compared = [target_classes(predictions, [row], name)[0] for name in names]
        targets = dict.fromkeys([*compared, target])
        return [replace(first, target=t, label=target_label(classes, t)) for t in targets]
    if kind == "layers":
        return [replace(first, layer=lay.name, label=lay.label) for lay in layers if lay.offered]
    if kind == "methods":
        names = [n for n, method in METHODS.items() if not method.slow or n == request.method]
        return [replace(first, method=name, label=name) for name in names]
    if kind == "epochs":
        return [
            replace(
                first, checkpoint=checkpoint.for_split(split), label=f"epoch {checkpoint.epoch}"
            )
            for checkpoint in epoch_checkpoints(run)
        ]
    if kind == "other":
        both = [replace(first, label=run.name)]
        if other:
            checkpoint = other.checkpoint.for_split(split)
            both.append(replace(other, target=target, checkpoint=checkpoint))
        return both
    return [
        replace(first, label="trained"),
        replace(first, label="untrained", untrained=True),
        replace(first, label="random", method=RANDOM),
    ]


def untrained_model(run: TrainingRun) -> "nn.Module":
    """The network of a run with random weights of its seed, in eval mode on the CPU.

    Random even where the run started from the weights of another: those were trained, and the
    sanity check (Adebayo et al. 2018, https://arxiv.org/abs/1810.03292) asks what a map owes to
    training. Only a whitening first layer follows from the training images, as in any new run.

    Raises:
        DataError: if its data, from which a first layer may be initialised, are missing.
    """
    from cifar_core.data import open_dataset
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import initial_model

    config = run.config.model_copy(update={"weights": "", "compile": False})
    runtime = choose_runtime("cpu", "fp32", "contiguous")
    batches = TrainingBatches(config, open_dataset(config.data), runtime)
    return initial_model(config, batches, runtime).eval()


def epoch_checkpoints(run: TrainingRun) -> list[Checkpoint]:
    """The checkpoints at the end of an epoch, in order; at most `MAX_EPOCHS`, evenly spaced."""
    ends = [c for c in list_checkpoints(run.path) if c.manifest.figures]
    checkpoints = list({c.epoch: c for c in ends}.values())
    positions = np.unique(np.linspace(0, len(checkpoints) - 1, MAX_EPOCHS).round().astype(int))
    return [checkpoints[i] for i in positions] if checkpoints else []


def shared_heading(kind: str, request: CamRequest) -> str:
    """What all maps of a kind have in common, as the heading of an image of them."""
    settings = {
        "methods": request.method,
        "layers": f"at {request.layer}",
        "targets": f"target: {target_name(request)}",
    }
    return f"{KINDS[kind]}: " + ", ".join(text for name, text in settings.items() if name != kind)


def panels(views: Sequence[View], cams: Sequence[CamMaps]) -> list[Panel]:
    """The views with their (1, 32, 32) maps; comparable ones share a scale."""
    scaled: dict[int, Floats] = {}
    for scale in {view.scale for view in views}:
        rows = [n for n, view in enumerate(views) if view.scale == scale]
        maps = on_shared_scale([cams[n] for n in rows])
        scaled |= dict(zip(rows, maps, strict=True))
    return [
        Panel(view.label, np.clip(scaled[n][0], 0, 1), raw_note(float(cam.peaks[0])), cam.grid)
        for n, (view, cam) in enumerate(zip(views, cams, strict=True))
    ]
