"""The class that a map is about: predicted, true, one and not the other, or a given one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.gradcam import Target

TARGETS = {
    "predicted": "the predicted class",
    "true": "the true class",
    "difference": "the predicted, not the true class",
}


def target_classes(predictions: Predictions, rows: Sequence[int], target: str) -> list[Target]:
    """The class to ask each image about.

    Args:
        target: "predicted", "true", "difference", or one class for all, by name or number. The
            difference is between the predicted and the true class; where they are the same, the
            most probable other class takes the place of the true one.

    Raises:
        ConfigError: if there is no such class.
    """
    if target == "predicted":
        return predictions.predicted[list(rows)].tolist()
    if target == "true":
        return predictions.examples.labels[list(rows)].tolist()
    if target == "difference":
        return [_rivals(predictions, row) for row in rows]
    return [find_class(predictions.examples.classes, target)] * len(rows)


def _rivals(predictions: Predictions, row: int) -> tuple[int, int]:
    first, second = topk_classes(predictions.log_probs[row], 2)
    true = int(predictions.examples.labels[row])
    return first, (second if first == true else true)


def target_label(classes: Sequence[str], target: Target) -> str:
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


def topk_classes(probs: NDArray[np.floating], count: int = 5) -> list[int]:
    """Classes of (K,) probabilities, the most probable first."""
    return np.argsort(-probs, kind="stable")[:count].tolist()
