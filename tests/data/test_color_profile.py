"""Colors of tagged images: values computed from the standards, and what cannot be converted."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from cifar_core.data.color_profile import TOO_LONG, to_srgb
from cifar_core.data.upload import fit_image
from tests.pictures import encoded

# sRGB's curve, IEC 61966-2-1, which Display P3 shares: as a parametric curve of ICC.1:2022, 10.18.
CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# Columns of Display P3, adapted to D50: of the profile that comes with macOS.
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
# From linear Display P3 to linear sRGB, both D65: CSS Color 4, sample code "lin_P3 to lin_sRGB".
TO_SRGB = np.array(
    [
        [1.22494018, -0.22494018, 0],
        [-0.04205695, 1.04205695, 0],
        [-0.01963755, -0.07863605, 1.0982736],
    ]
)
COLORS = np.array(
    [[200, 100, 50], [30, 160, 90], [128, 128, 128], [255, 0, 0], [100, 120, 200], [0, 0, 0]],
    np.uint8,
)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile_of(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A display profile, ICC.1:2022, with its white at D50."""
    text = "made up".encode("utf-16-be")
    name = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    white = fixed(0.9642, 1, 0.8249)
    tags = {b"desc": name, b"cprt": name, b"wtpt": b"XYZ \0\0\0\0" + white, **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for key, content in tags.items():
        start = 128 + 4 + 12 * len(tags) + len(body)
        table += key + struct.pack(">II", start, len(content))
        body += content + bytes(-len(content) % 4)
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + b"none" + struct.pack(">I", 0x04000000) + b"mntr" + space + b"XYZ " + bytes(12)
    return (head + b"acsp" + bytes(28) + white).ljust(128, b"\0") + table + body


def display_p3() -> bytes:
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + fixed(*CURVE)
    tags = {}
    for letter, column in zip((b"r", b"g", b"b"), P3, strict=True):
        tags |= {letter + b"XYZ": b"XYZ \0\0\0\0" + fixed(*column), letter + b"TRC": curve}
    return profile_of(b"RGB ", tags)


def gray_of_gamma(gamma: float) -> bytes:
    curve = b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + fixed(gamma)
    return profile_of(b"GRAY", {b"kTRC": curve})


def decoded(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded_srgb(linear: np.ndarray) -> np.ndarray:
    low, high = 12.92 * linear, 1.055 * np.clip(linear, 0, 1) ** (1 / 2.4) - 0.055
    return 255 * np.clip(np.where(linear <= 0.0031308, low, high), 0, 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_display_p3_becomes_srgb(kind: str) -> None:
    expected = encoded_srgb(decoded(COLORS / 255) @ TO_SRGB.T)
    assert np.rint(expected[0]).tolist() == [215, 93, 31], "an orange that P3 shows stronger"
    for color, wanted in zip(COLORS, expected, strict=True):
        picture = Image.new("RGB", (64, 64), tuple(color.tolist()))
        fitted = fit_image(encoded(picture, kind, icc_profile=display_p3()))
        assert np.abs(fitted.pixels - wanted).max() <= (1 if kind == "PNG" else 3)
        assert (fitted.original == fitted.pixels[0, 0]).all()
        assert fitted.note == ""


def test_transparent_pixels_of_p3_show_white_and_the_others_their_color() -> None:
    half = Image.new("RGBA", (64, 64), (200, 100, 50, 255))
    half.paste((9, 9, 9, 0), (0, 0, 32, 64))
    pixels = fit_image(encoded(half, icc_profile=display_p3())).pixels.astype(int)
    assert (pixels[:, :16] == 255).all()
    assert np.abs(pixels[:, 16:] - [215, 93, 31]).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_gray_profile_is_followed(mode: str) -> None:
    picture = Image.new("L", (40, 40), 100).convert(mode)
    fitted = fit_image(encoded(picture, icc_profile=gray_of_gamma(1.8)))
    wanted = encoded_srgb(np.array((100 / 255) ** 1.8))
    assert np.abs(fitted.pixels - wanted).max() <= 1
    assert fitted.note == ""


def test_srgb_stays_as_it_is() -> None:
    colors = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (srgb, None, b""):
        converted, note = to_srgb(colors, icc)
        assert note == ""
        np.testing.assert_array_equal(np.asarray(converted), np.asarray(colors))


@pytest.mark.parametrize(
    ("icc", "told"),
    [
        (b"nonsense", "cannot be read"),
        (display_p3()[:200], "cannot be read"),
        (display_p3().replace(b"rXYZ", b"xxxx"), "cannot be read"),
        (gray_of_gamma(2.2), "is for GRAY, not RGB"),
    ],
    ids=["nonsense", "cut off", "incomplete", "gray"],
)
def test_colors_that_cannot_be_converted_are_said_to_be_off(icc: bytes, told: str) -> None:
    picture = Image.new("RGB", (40, 40), (200, 100, 50))
    for kind in ("PNG", "JPEG"):
        fitted = fit_image(encoded(picture, kind, icc_profile=icc))
        assert told in fitted.note
        assert fitted.note.endswith("colors are shown as if they were sRGB.")
        assert np.abs(fitted.pixels.astype(int) - [200, 100, 50]).max() <= 2


def test_a_profile_of_3_mb_is_left_out_of_a_png_and_said() -> None:
    long = display_p3() + np.random.default_rng(0).bytes(3_000_000)
    picture = Image.new("RGB", (40, 40), (200, 100, 50))
    fitted = fit_image(encoded(picture, icc_profile=long))
    assert fitted.note == TOO_LONG
    assert (fitted.pixels == [200, 100, 50]).all()
