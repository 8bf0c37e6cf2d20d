"""One `AugmentSpec` for the preview and for training.

    spec                  AugmentSpec: ordered operations, JSON, hash
    presets               named specs; a spec from user input
    catalogue             all operations, with OneOf, SomeOf, MixUp and CutMix
    catalogue_geometry    operations that move or cover pixels
    catalogue_colour      operations that change colours, blur or add noise
    params                types and bounds of their parameters
    draws                 the random draws of an operation for a batch
    kernels               batched kernels on any device; MixUp and CutMix
    kernels_cpu           faster versions of the kernels for the CPU
    pipeline              a spec through albumentations, one image at a time
    albumentations_calls  a spec as albumentations calls
    exchange              import and export of albumentations JSON, YAML and Python
    applied               which operations were applied, with which values
    preview               original and augmented images, exactly as in training

The spec, the catalogue and the presets import neither torch nor albumentations.
"""

from cifar_core.augment.catalogue import CATALOGUE
from cifar_core.augment.params import Param, Transform
from cifar_core.augment.presets import PRESETS, preset, spec_from_text
from cifar_core.augment.spec import AugmentSpec, Operation

__all__ = [
    "CATALOGUE",
    "PRESETS",
    "AugmentSpec",
    "Operation",
    "Param",
    "Transform",
    "preset",
    "spec_from_text",
]
