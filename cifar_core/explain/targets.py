"""Target classes of maps: predicted, true, the difference of the two, or a given class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.gradcam import Target

TARGETS = {
    "predicted": "Predicted class",
    "true": "True class",
    "difference": "Predicted minus true class",
}

BOTH, BOTH_NAME = "both", "Predicted and true class"  # two maps of an image, see `pairs`


def target_classes(predictions: Predictions, rows: Sequence[int], target: str) -> list[Target]:
    """The target class of each image.

    Args:
        target: "predicted", "true", "difference", or one class for all, by name or number. The
            difference is between the predicted and the true class; where they are equal, the
            most probable other class replaces the true one.

    Raises:
        ConfigError: if there is no such class.
    """
    if target == "predicted":
        return predictions.predicted[list(rows)].tolist()
    if target == "true":
        return predictions.examples.labels[list(rows)].tolist()
    if target == "difference":
        return [_predicted_and_other(predictions, row) for row in rows]
    return [find_class(predictions.examples.classes, target)] * len(rows)


def _predicted_and_other(predictions: Predictions, row: int) -> tuple[int, int]:
    first, second = topk_classes(predictions.log_probs[row], 2)
    true = int(predictions.examples.labels[row])
    return first, (second if first == true else true)


def target_label(classes: Sequence[str], target: Target) -> str:
    """Display name of a target."""
    if isinstance(target, int):
        return classes[target]
    return f"{classes[target[0]]} minus {classes[target[1]]}"


def find_class(classes: Sequence[str], text: str) -> int:
    """The index of a class from its name or index.

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
    """Class indices of (K,) probabilities, the most probable first."""
    return np.argsort(-probs, kind="stable")[:count].tolist()
