"""Why this class and not that one: an image with the maps of two classes, on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from cifar_core.evaluation.predictions import Predictions
from cifar_core.explain.error_maps import Compute
from cifar_core.explain.gradcam import scaled_together
from cifar_core.explain.maps import FAINT, map_card, peak_note, raw_note
from cifar_core.explain.sheet import Card
from cifar_core.explain.targets import target_classes


@dataclass(frozen=True, eq=False)
class Pair:
    """An image and its maps for two classes.

    Attributes:
        cards: For the predicted class, then for the other one.
        classes: Their names.
        true: The name of the true class.
        grid: Rows and columns of the layer.
    """

    cards: tuple[Card, Card]
    classes: tuple[str, str]
    true: str
    grid: tuple[int, int]


def compute_pairs(
    predictions: Predictions, rows: Sequence[int], compute: Compute, one_scale: bool = False
) -> list[Pair]:
    """Maps for the predicted and for the true class; where they are equal, the next probable one.

    Args:
        one_scale: Whether the maps of all images share one scale, instead of the two of each.
    """
    examples, pixels = predictions.examples, predictions.examples.pixels(list(rows))
    targets = cast("list[tuple[int, int]]", target_classes(predictions, rows, "difference"))
    both = [compute(pixels, [target[n] for target in targets]) for n in (0, 1)]
    raws = [[cams.raw[i] for cams in both] for i in range(len(rows))]
    if one_scale:
        flat_cams = iter(scaled_together([raw for pair in raws for raw in pair]))
        scaled = [[next(flat_cams), next(flat_cams)] for _ in raws]
    else:
        scaled = [scaled_together(pair) for pair in raws]

    def card(i: int, n: int) -> Card:
        peaks = [float(cams.peaks[i]) for cams in both]
        note = raw_note if one_scale or max(peaks) >= FAINT else peak_note
        return map_card(predictions, rows[i], targets[i][n], scaled[i][n], peaks[n], note)

    return [
        Pair(
            (card(i, 0), card(i, 1)),
            (examples.classes[targets[i][0]], examples.classes[targets[i][1]]),
            examples.classes[examples.labels[row]],
            both[0].grid,
        )
        for i, row in enumerate(rows)
    ]


def flat(pairs: Sequence[Pair]) -> list[Card]:
    """The cards of all pairs, for a sheet."""
    return [card for pair in pairs for card in pair.cards]
