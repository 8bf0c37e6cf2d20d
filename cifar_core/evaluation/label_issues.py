"""Labels that a model gives reason to doubt: a hint to look, never a correction."""

import numpy as np
from numpy.typing import NDArray

from cifar_core.evaluation.predictions import Predictions

# Below it the doubts of a model are mostly its own errors: one of 68 % doubted 1,544 of CIFAR-10's
# 10,000 test labels, one of 91 % 66, and the first ten of those are plainly wrong or unclear.
MIN_ACC = 0.8
ABOUT = (
    "By confident learning: images that the model takes for another class more surely than it "
    "takes images of that class on average. The better the model, the more of them are mislabelled "
    "indeed; about 0.5 % of CIFAR-10's test labels are wrong (Northcutt et al. 2021)."
)


def can_find_label_issues(table: Predictions) -> bool:
    """Whether labels can be wrong, and the model has not learned them by heart."""
    return table.examples.split != "train" and table.note.data != "Shapes-10"


def find_label_issues(table: Predictions) -> NDArray[np.int64]:
    """(M,) rows whose label is likely wrong, the least likely label first.

    None where the model recognises less than `LEAST_ACC`. It must not have been trained on them:
    on training images it repeats their labels.

    Source: Northcutt et al. 2021, https://arxiv.org/abs/1911.00068, through cleanlab.
    """
    if table.acc < MIN_ACC or len(np.unique(table.examples.labels)) < 2:
        return np.empty(0, np.int64)
    from cleanlab.filter import find_label_issues

    probs = np.exp(table.log_probs.astype(np.float64))
    found = find_label_issues(
        table.examples.labels.astype(np.int64),
        probs / probs.sum(axis=1, keepdims=True),
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    return np.asarray(found, np.int64)
