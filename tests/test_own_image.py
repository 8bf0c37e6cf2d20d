"""Uploads: what is fitted how, and what is refused with which sentence."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

from cifar_core.errors import DataError
from cifar_core.own_image import OwnImage, fit_image

# Of a damaged file; that is for the log.
pillow_may_warn = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def stripes(width: int, height: int, *colours: tuple[int, int, int]) -> Image.Image:
    """Equal upright stripes from left to right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(colours):
        pixels[:, i * width // len(colours) : (i + 1) * width // len(colours)] = colour
    return Image.fromarray(pixels)


def of_one_colour(fitted: OwnImage, colour: tuple[int, int, int]) -> bool:
    return bool((fitted.pixels == colour).all())


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def grey(value: int) -> np.ndarray:
    return np.full((40, 40), value, np.uint8)


# Fitting


def test_a_picture_of_the_right_size_stays_pixel_by_pixel() -> None:
    picture = noise(32, 32)
    fitted = fit_image(encoded(picture))
    assert np.array_equal(fitted.pixels, np.asarray(picture))
    assert np.array_equal(fitted.original, fitted.pixels)
    assert (fitted.box, fitted.scale) == ((0, 0, 32, 32), 1.0)
    assert fitted.pixels.dtype == np.uint8


def test_every_pixel_is_the_mean_of_its_patch() -> None:
    picture = noise(96, 96)
    patches = np.asarray(picture).reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    assert np.abs(fit_image(encoded(picture)).pixels - patches).max() <= 1


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((300, 100), (100, 0, 200, 100)),
        ((100, 301), (0, 100, 100, 200)),
        ((64, 64), (0, 0, 64, 64)),
        ((1, 1), (0, 0, 1, 1)),
        ((5, 2000), (0, 997, 5, 1002)),
    ],
)
def test_the_middle_square_is_taken(size: tuple[int, int], box: tuple[int, ...]) -> None:
    fitted = fit_image(encoded(noise(*size)))
    assert fitted.box == box
    assert fitted.pixels.shape == (32, 32, 3)


def test_only_the_crop_is_seen() -> None:
    assert of_one_colour(fit_image(encoded(stripes(300, 100, RED, GREEN, BLUE))), GREEN)


def test_the_preview_shows_the_whole_picture_small() -> None:
    fitted = fit_image(encoded(stripes(2048, 1024, RED, BLUE)))
    assert fitted.original.shape == (256, 512, 3)
    assert fitted.scale == 0.25
    assert tuple(fitted.original[0, 0]) == RED
    assert tuple(fitted.original[-1, -1]) == BLUE
    left, top, right, bottom = (round(edge * fitted.scale) for edge in fitted.box)
    assert (left, top, right, bottom) == (128, 0, 384, 256)


def test_a_thin_picture_has_a_preview_too() -> None:
    assert fit_image(encoded(noise(3000, 1))).original.shape == (1, 512, 3)


def test_jpeg_is_accepted() -> None:
    fitted = fit_image(encoded(stripes(64, 64, BLUE), "JPEG", quality=95))
    assert np.abs(fitted.pixels.astype(int) - BLUE).max() <= 3


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (2, Transpose.FLIP_LEFT_RIGHT),
        (3, Transpose.ROTATE_180),
        (4, Transpose.FLIP_TOP_BOTTOM),
        (5, Transpose.TRANSPOSE),
        (6, Transpose.ROTATE_270),
        (7, Transpose.TRANSVERSE),
        (8, Transpose.ROTATE_90),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_photo_is_turned_upright(orientation: int, turn: Transpose, kind: str) -> None:
    lying, exif = noise(48, 96), Image.Exif()
    exif[0x0112] = orientation
    fitted = fit_image(encoded(lying, kind, exif=exif))
    with Image.open(io.BytesIO(encoded(lying, kind))) as stored:
        upright = stored.convert("RGB").transpose(turn)
    assert np.array_equal(fitted.original, np.asarray(upright))
    width, height = upright.size
    assert fitted.box == ((0, 24, 48, 72) if height > width else (24, 0, 72, 48))


@pillow_may_warn
def test_unreadable_exif_leaves_the_picture_as_it_is() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\x06"
    assert fit_image(encoded(noise(40, 80), "JPEG", exif=exif)).original.shape[2] == 3


# Modes


def test_transparent_pixels_show_white() -> None:
    clear = Image.new("RGBA", (64, 64), (*RED, 0))
    assert of_one_colour(fit_image(encoded(clear)), (255, 255, 255))
    half = fit_image(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 128)))).pixels
    assert np.abs(half.astype(int) - 127).max() <= 1


def test_a_colour_marked_transparent_shows_white() -> None:
    content = encoded(stripes(64, 64, RED, BLUE), transparency=RED)
    pixels = fit_image(content).pixels
    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 16:] == BLUE).all()


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(grey(80)),
        Image.fromarray(grey(80)).convert("RGB"),
        Image.fromarray(grey(80)).convert("RGBA"),
        Image.fromarray(grey(80)).convert("LA"),
        Image.fromarray(grey(80)).convert("P"),
        Image.fromarray(grey(80).astype(np.uint16) * 256),
    ],
    ids=lambda picture: picture.mode,
)
def test_every_mode_gives_the_same_colour(picture: Image.Image) -> None:
    assert of_one_colour(fit_image(encoded(picture)), (80, 80, 80))


def test_black_and_white_becomes_colour() -> None:
    assert of_one_colour(fit_image(encoded(Image.new("1", (40, 40), 1))), (255, 255, 255))


def test_a_palette_with_transparency_lies_over_white() -> None:
    picture = stripes(64, 64, RED, BLUE).quantize(2)
    pixels = fit_image(encoded(picture, transparency=bytes([0, 255]))).pixels
    assert (pixels == 255).all(axis=2).sum() == 32 * 16


def test_a_print_photo_in_cmyk_becomes_rgb() -> None:
    content = encoded(stripes(64, 64, RED).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(fit_image(content).pixels.astype(int) - RED).max() <= 5


# Refusals


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\0", "no image"),
        (b"hello", "no image"),
        (encoded(Image.new("RGB", (9, 9)), "GIF"), "a GIF"),
        (encoded(Image.new("RGB", (9, 9)), "BMP"), "a BMP"),
        (encoded(Image.new("RGB", (9, 9)), "TIFF"), "a TIFF"),
        (encoded(Image.new("RGB", (9, 9)), "WEBP"), "a WebP"),
        (b"SIMPLE  =                    T", "a FITS file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        (b"\n<?xml version='1.0'?><svg/>", "an XML or SVG file"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_other_files_are_named_and_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=rf"{sentence}.*Give a PNG or JPEG image\."):
        fit_image(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind: str, share: float) -> None:
    content = encoded(noise(64, 64), kind)
    with pytest.raises(DataError, match="damaged or cut short"):
        fit_image(content[: int(len(content) * share)])


def test_a_signature_alone_is_no_picture() -> None:
    for start, kind in ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG")):
        with pytest.raises(DataError, match=f"a damaged {kind}"):
            fit_image(start)


def test_the_limit_of_the_file_is_told_with_its_size() -> None:
    with pytest.raises(DataError, match=r"21\.0 MB; at most 20"):
        fit_image(bytes(21_000_000))


@pytest.mark.parametrize(
    ("width", "height", "sentence"),
    [
        (8000, 5001, "8000 × 5001 pixels; at most 40 megapixels"),
        (10_000, 10_000, "far more than 40 megapixels"),  # Pillow warns
        (20_000, 20_000, "far more than 40 megapixels"),  # Pillow refuses
        (2**31 - 1, 2**31 - 1, "far more than 40 megapixels"),
    ],
)
def test_an_enormous_picture_is_refused_by_its_header(
    width: int, height: int, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        fit_image(claimed(width, height))


def test_a_picture_within_the_limits_is_taken() -> None:
    assert fit_image(encoded(Image.new("1", (8000, 5000)))).original.shape == (320, 512, 3)


def test_a_header_without_its_pixels_is_refused() -> None:
    with pytest.raises(DataError, match="damaged or cut short"):
        fit_image(claimed(6000, 6000))


@pillow_may_warn
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damage_anywhere_gives_a_picture_or_a_sentence(kind: str) -> None:
    content = encoded(noise(24, 24), kind, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    generator, sentences = np.random.default_rng(0), []
    for _ in range(400):
        damaged = bytearray(content)
        # Most of the structure lies at the start.
        for place in generator.integers(0, min(len(content), 300), size=2):
            damaged[place] = generator.integers(0, 256)
        try:
            fit_image(bytes(damaged))
        except DataError as refusal:
            sentences.append(str(refusal))
    assert sentences
    assert all("Give a" in sentence for sentence in sentences)
