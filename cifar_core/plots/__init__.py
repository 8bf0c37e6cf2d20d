"""Records and arrays to Plotly figures; nothing here reads files or knows of pages."""

from cifar_core.plots.effect import class_change, operation_losses
from cifar_core.plots.explain import class_accuracies, confusion, top_classes
from cifar_core.plots.frame import MAX_POINTS, RUN_COLOURS, SPLIT_COLOURS, thin
from cifar_core.plots.images import CHANNEL_COLOURS, class_counts, pixel_histogram
from cifar_core.plots.judging import class_scores, matrix_difference, reliability
from cifar_core.plots.lr import lr_test
from cifar_core.plots.references import REFERENCES, Reference
from cifar_core.plots.story import class_curves, embedding, image_story, road_ranking
from cifar_core.plots.training import Axis, Curve, View, curves, learning_rates, smoothed

__all__ = [
    "CHANNEL_COLOURS",
    "MAX_POINTS",
    "REFERENCES",
    "RUN_COLOURS",
    "SPLIT_COLOURS",
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
    "image_story",
    "learning_rates",
    "lr_test",
    "matrix_difference",
    "operation_losses",
    "pixel_histogram",
    "reliability",
    "road_ranking",
    "smoothed",
    "thin",
    "top_classes",
]
