"""Plotly figures from records and arrays; reads no files.

training    loss and accuracy curves over epochs, steps or minutes
theme       colors, light and dark, downsampling of long lines
confusion   the confusion matrix and per-class accuracy
scores      precision/recall/F1, calibration, difference of two matrices
history     per-epoch curves, the embedding, the ROAD ranking
lr          the curve of an LR test
images      class counts and pixel histograms
effect      accuracy per class on augmented images
html        figures inside a page that opens offline
png         figures as a PNG
references  published results
"""

from cifar_core.plots.confusion import class_accuracies, confusion, top_classes
from cifar_core.plots.effect import class_change, operation_losses
from cifar_core.plots.history import class_curves, embedding, probability_curves, road_ranking
from cifar_core.plots.images import CHANNEL_COLORS, class_counts, pixel_histogram
from cifar_core.plots.lr import lr_test
from cifar_core.plots.references import REFERENCES, Reference
from cifar_core.plots.scores import class_scores, matrix_difference, reliability
from cifar_core.plots.theme import MAX_POINTS, RUN_COLORS, SPLIT_COLORS, thin
from cifar_core.plots.training import Axis, Curve, View, curves, learning_rates, run_curve, smoothed

__all__ = [
    "CHANNEL_COLORS",
    "MAX_POINTS",
    "REFERENCES",
    "RUN_COLORS",
    "SPLIT_COLORS",
    "Axis",
    "Curve",
    "Reference",
    "View",
    "class_accuracies",
    "class_change",
    "class_counts",
    "class_curves",
    "class_scores",
    "confusion",
    "curves",
    "embedding",
    "learning_rates",
    "lr_test",
    "matrix_difference",
    "operation_losses",
    "pixel_histogram",
    "probability_curves",
    "reliability",
    "road_ranking",
    "run_curve",
    "smoothed",
    "thin",
    "top_classes",
]
