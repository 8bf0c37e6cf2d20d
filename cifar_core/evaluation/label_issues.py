"""Possible label errors: images to look at, never corrected by themselves."""

import numpy as np
from numpy.typing import NDArray

from cifar_core.evaluation.predictions import Predictions

# Below it most flagged labels are errors of the model: at 68% accuracy 1,544 of CIFAR-10's 10,000
# test labels were flagged, at 91% 66, the first ten of them plainly wrong or unclear.
MIN_ACC = 0.8
ABOUT = (
    "Confident learning flags an image if another class is more probable than that class is on "
    "average for its own images. The better the model, the more of the flagged labels are truly "
    "mislabeled; about 0.5% of CIFAR-10's test labels are wrong (Northcutt et al. 2021)."
)


def can_find_label_issues(predictions: Predictions) -> bool:
    """Whether labels may be wrong and the model was not trained on them."""
    return predictions.examples.split != "train" and predictions.note.data != "Shapes-10"


def accuracy_note(predictions: Predictions) -> str:
    """Why no label issues are shown; empty if the model's accuracy is at least `MIN_ACC`."""
    if predictions.acc >= MIN_ACC:
        return ""
    return (
        f"This model's accuracy is {predictions.acc:.2%}. Below {MIN_ACC:.0%}, most flagged labels "
        "are errors of the model, so none are shown. Train a better model."
    )


def find_label_issues(predictions: Predictions) -> NDArray[np.int64]:
    """(M,) int64 rows whose label is probably wrong, the least probable label first.

    Empty if the accuracy is below `MIN_ACC`. The model must not have been trained on these
    images: on training images it repeats their labels.

    Source: Northcutt et al. 2021, https://arxiv.org/abs/1911.00068, through cleanlab.
    """
    labels = predictions.examples.labels
    if predictions.acc < MIN_ACC or len(np.unique(labels)) < 2:
        return np.empty(0, np.int64)
    from cleanlab.filter import find_label_issues

    probs = np.exp(predictions.log_probs.astype(np.float64))
    rows = find_label_issues(
        labels.astype(np.int64),
        probs / probs.sum(axis=1, keepdims=True),
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    return np.asarray(rows, np.int64)
