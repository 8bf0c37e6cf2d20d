"""One `AugmentSpec` for the preview and for training.

    spec                  AugmentSpec: ordered operations, JSON, hash
    presets               named specs
    reading               a spec from a preset's name, JSON, YAML or a file
    catalog               all operations, with OneOf, SomeOf, MixUp and CutMix
    catalog_geometry      operations that move or cover pixels
    catalog_color         operations that change colors, blur or add noise
    params                types and bounds of their parameters
    draws                 what is drawn at random for a crop, flip or cutout of a batch
    kernels               batched kernels on any device; MixUp and CutMix, drawn there too
    kernels_cpu           faster versions of the kernels for the CPU
    pipeline              a spec through albumentations, one image at a time
    albumentations_calls  a spec as albumentations calls
    exchange              a spec as albumentations' JSON, YAML or Python
    saved_steps           the steps of a pipeline that albumentations saved
    importing             a pipeline that albumentations saved, as a spec
    applied               which operations were applied, with which values
    preview               original and augmented images, exactly as in training

The spec, the catalog, the presets and reading import neither torch nor albumentations.
"""

from cifar_core.augment.catalog import CATALOG
from cifar_core.augment.params import Param, Transform
from cifar_core.augment.presets import PRESETS, preset
from cifar_core.augment.reading import read_spec, spec_from_text
from cifar_core.augment.spec import AugmentSpec, Operation

__all__ = [
    "CATALOG",
    "PRESETS",
    "AugmentSpec",
    "Operation",
    "Param",
    "Transform",
    "preset",
    "read_spec",
    "spec_from_text",
]
