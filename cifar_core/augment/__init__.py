"""One `AugmentSpec` for the preview and for training.

    spec                  AugmentSpec: ordered operations, JSON, hash
    presets               named specs; a spec from what people type
    catalogue             the operations: all, with choices, MixUp and CutMix
    catalogue_geometry    those that move or cover pixels
    catalogue_colour      those that change colours, blur or add noise
    params                types and bounds of their parameters
    draws                 what chance decided for a batch
    kernels               batched kernels on any device; what is drawn for MixUp and CutMix
    kernels_cpu           the same on a CPU, quicker
    pipeline              a spec through albumentations, one image at a time
    albumentations_calls  a spec as calls of albumentations
    exchange              albumentations' JSON, YAML and Python, in and out
    applied               which operations fired, with which values
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
