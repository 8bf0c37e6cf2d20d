"""Colors of an image with a color profile, such as Display P3, converted to sRGB.

CIFAR-10 has no profiles, so that models have seen its values as sRGB, which is also what browsers
take untagged images for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Color space of a profile (ICC.1:2022, 7.2.8) -> the mode its values are converted from, and the
# modes of images that it may belong to.
_MODES = {
    "RGB ": ("RGB", ("RGB", "RGBA", "RGBX", "P", "PA", "L", "LA", "1")),
    "GRAY": ("L", ("L", "LA", "1")),
    "CMYK": ("CMYK", ("CMYK",)),
}
_AS_SRGB = "colors are shown as if they were sRGB."


def to_srgb(image: "Image", icc: bytes | None) -> "tuple[Image, str]":
    """The colors of an image in sRGB, and what could not be converted, in a sentence.

    Args:
        image: In any mode but 16-bit gray; its transparency is left out.
        icc: The profile that came with it.
    """
    from PIL import ImageCms

    if not icc:
        return image.convert("RGB"), ""
    try:
        profile = ImageCms.core.profile_frombytes(icc)
        space = profile.xcolor_space
        mode, fitting = _MODES.get(space, ("", ()))
        if image.mode not in fitting:
            note = f"Its color profile is for {space.strip()}, not {image.mode}; {_AS_SRGB}"
            return image.convert("RGB"), note
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB")
        return transform.apply(image.convert(mode)), ""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image.convert("RGB"), f"Its color profile cannot be read; {_AS_SRGB}"


TOO_LONG = f"Its color profile is longer than 1 MB and was not read; {_AS_SRGB}"
