"""Named specs: general ones, and those of the five reference systems."""

from cifar_core.augment.spec import AugmentSpec, Operation
from cifar_core.errors import ConfigError


def _spec(*operations: Operation) -> AugmentSpec:
    return AugmentSpec(operations=operations)


_PAD_CROP = Operation(name="PadCrop")
_FLIP = Operation(name="HorizontalFlip", p=0.5)
# The defaults of ShiftScaleRotate in albumentations 1, which the reference systems used:
# shift_limit 0.0625, that is two pixels (here whole ones), scale_limit 0.1 for both axes at once,
# rotate_limit 45, border_mode cv2.BORDER_REFLECT_101, p 0.5.
_SHIFT_SCALE_ROTATE = Operation(
    name="Affine",
    p=0.5,
    params={
        "translate_px": (-2, 2),
        "scale": (0.9, 1.1),
        "rotate": (-45.0, 45.0),
        "keep_ratio": True,
        "border_mode": "reflect",
    },
)

PRESETS: dict[str, AugmentSpec] = {
    "none": _spec(),
    "standard": _spec(_PAD_CROP, _FLIP),
    "fast": _spec(
        Operation(name="PadCrop", params={"padding": 2, "mode": "reflect"}),
        _FLIP,
    ),
    "cutout": _spec(_PAD_CROP, _FLIP, Operation(name="Cutout", p=0.5, params={"size": 8})),
    "s8_resnet18": _spec(_PAD_CROP, Operation(name="Cutout", p=1.0)),
    "eva_resnet18": _spec(
        _FLIP,
        _SHIFT_SCALE_ROTATE,
        Operation(name="RandomBrightnessContrast", p=0.2),
        Operation(name="Cutout", p=0.5),
    ),
    "s9_sepnet": _spec(_FLIP, _SHIFT_SCALE_ROTATE, Operation(name="Cutout", p=0.5)),
    "s11_resnet18": _spec(_PAD_CROP, _FLIP, Operation(name="Cutout", p=0.75, params={"size": 8})),
    "strong": _spec(
        _PAD_CROP,
        _FLIP,
        Operation(name="ColorJitter", p=0.5),
        Operation(name="Cutout", p=0.5),
        Operation(name="CutMix", p=0.5),
    ),
}


def preset(name: str) -> AugmentSpec:
    """Returns the preset of that name.

    Raises:
        ConfigError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"Unknown augmentation {name!r}. Available presets: {', '.join(PRESETS)}; "
            "or give the path of a JSON or YAML file."
        )
    return PRESETS[name]
