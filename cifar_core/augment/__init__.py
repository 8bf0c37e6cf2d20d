"""One `AugmentSpec` for the preview and for the run.

    catalogue   the operations a spec may hold, with bounds and help for each parameter
    spec        AugmentSpec: ordered operations, JSON in and out, hash
    presets     named specs, among them those of the reference recipes
    kernels     batched uint8 kernels, drawn on the CPU, run on any device
    pipeline    a spec as an albumentations pipeline, one image at a time
    preview     original and augmented images by the path that the run will take

The spec, the catalogue and the presets import neither torch nor albumentations.
"""

from cifar_core.augment.catalogue import CATALOGUE
from cifar_core.augment.params import Param, Transform
from cifar_core.augment.presets import PRESETS, preset
from cifar_core.augment.spec import AugmentSpec, Operation

__all__ = ["CATALOGUE", "PRESETS", "AugmentSpec", "Operation", "Param", "Transform", "preset"]
