"""Named specs: general ones, and those of the five reference systems."""

from pathlib import Path

from cifar_core.augment.spec import AugmentSpec, Operation
from cifar_core.errors import ConfigError


def _spec(*operations: Operation) -> AugmentSpec:
    return AugmentSpec(operations=operations)


_PAD_CROP = Operation(name="PadCrop")
_FLIP = Operation(name="HorizontalFlip", p=0.5)
_SHIFT_SCALE_ROTATE = Operation(name="Affine", p=0.5)  # defaults of the former ShiftScaleRotate

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
            "or give the path of a JSON file."
        )
    return PRESETS[name]


def spec_from_text(text: str) -> AugmentSpec:
    """Reads a preset's name, the path of a JSON file, or JSON.

    Raises:
        ConfigError: if the text is none of these.
    """
    if text.lstrip().startswith("{"):
        return AugmentSpec.from_json(text)
    if text.endswith(".json") and Path(text).is_file():
        return AugmentSpec.from_json(Path(text).read_text(encoding="utf-8", errors="replace"))
    return preset(text)
