"""The operations an `AugmentSpec` may hold, each with the bounds that make sense at 32x32.

Names and parameters are albumentations' own, so that a spec reads like a pipeline; `PadCrop`,
`Cutout`, `MixUp` and `CutMix` are ours. It describes; it neither builds nor runs anything.
"""

from cifar_core.augment.catalogue_colour import BLUR_AND_NOISE, COLOUR
from cifar_core.augment.catalogue_geometry import DROPOUT, GEOMETRY
from cifar_core.augment.params import Param, Transform

_ALPHA = "Beta(alpha, alpha) gives the share; small: mostly one image."

_CHOICE = (
    Transform(
        "OneOf",
        "Choice",
        "One of several operations; their probabilities are its weights.",
        holds=True,
    ),
    Transform(
        "SomeOf",
        "Choice",
        "A few of several operations, each then at its own probability.",
        (Param("n", 1, "How many are chosen.", 1, 8),),
        p=1.0,
        holds=True,
    ),
)

_MIXING = (
    Transform(
        "MixUp",
        "Mixing",
        "Blend pairs of images and their labels (Zhang et al. 2018, arXiv 1710.09412).",
        (Param("alpha", 0.2, _ALPHA, 0.05, 4),),
        batched=True,
    ),
    Transform(
        "CutMix",
        "Mixing",
        "Paste a part of another image, labels by area (Yun et al. 2019, arXiv 1905.04899).",
        (Param("alpha", 1.0, _ALPHA, 0.05, 4),),
        batched=True,
    ),
)

CATALOGUE: dict[str, Transform] = {
    transform.name: transform
    for transform in (*GEOMETRY, *DROPOUT, *COLOUR, *BLUR_AND_NOISE, *_CHOICE, *_MIXING)
}
