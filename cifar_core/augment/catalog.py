"""The operations an `AugmentSpec` may contain, with bounds that make sense at 32x32.

Names and parameters are those of albumentations, except for `PadCrop`, `Cutout`, `MixUp` and
`CutMix`, which are ours. Descriptions only: nothing is built or run here.
"""

from cifar_core.augment.catalog_color import BLUR_AND_NOISE, COLOR
from cifar_core.augment.catalog_geometry import DROPOUT, GEOMETRY
from cifar_core.augment.params import Param, Transform

_ALPHA = "The mixing ratio is drawn from Beta(alpha, alpha); small values mix little."

_CHOICE = (
    Transform(
        "OneOf",
        "Choice",
        "Apply one of several operations, chosen in proportion to their probabilities.",
        holds=True,
    ),
    Transform(
        "SomeOf",
        "Choice",
        "Choose n of several operations, then apply each with its own probability.",
        (Param("n", 1, "Number of operations to choose.", 1, 8),),
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
        "Paste a patch of another image; labels mix by area (Yun et al. 2019, arXiv 1905.04899).",
        (Param("alpha", 1.0, _ALPHA, 0.05, 4),),
        batched=True,
    ),
)

CATALOG: dict[str, Transform] = {
    transform.name: transform
    for transform in (*GEOMETRY, *DROPOUT, *COLOR, *BLUR_AND_NOISE, *_CHOICE, *_MIXING)
}
