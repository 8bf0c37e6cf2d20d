"""Uploads: what is fitted how, from any mode."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

from cifar_core.data.upload import ENDINGS, UploadedImage, fit_image
from tests.pictures import chunk, encoded, noise_picture

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def stripes(width: int, height: int, *colors: tuple[int, int, int]) -> Image.Image:
    """Equal upright stripes from left to right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for i, color in enumerate(colors):
        pixels[:, i * width // len(colors) : (i + 1) * width // len(colors)] = color
    return Image.fromarray(pixels)


def of_one_color(fitted: UploadedImage, color: tuple[int, int, int]) -> bool:
    return bool((fitted.pixels == color).all())


def gray(value: int) -> np.ndarray:
    return np.full((40, 40), value, np.uint8)


# Fitting


def test_a_picture_of_the_right_size_stays_pixel_by_pixel() -> None:
    picture = noise_picture(32, 32)
    fitted = fit_image(encoded(picture))
    assert np.array_equal(fitted.pixels, np.asarray(picture))
    assert np.array_equal(fitted.original, fitted.pixels)
    assert (fitted.box, fitted.scale) == ((0, 0, 32, 32), 1.0)
    assert fitted.pixels.dtype == np.uint8


def test_every_pixel_is_the_mean_of_its_patch() -> None:
    picture = noise_picture(96, 96)
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
    fitted = fit_image(encoded(noise_picture(*size)))
    assert fitted.box == box
    assert fitted.pixels.shape == (32, 32, 3)


def test_only_the_crop_is_seen() -> None:
    assert of_one_color(fit_image(encoded(stripes(300, 100, RED, GREEN, BLUE))), GREEN)


def test_the_preview_shows_the_whole_picture_small() -> None:
    fitted = fit_image(encoded(stripes(2048, 1024, RED, BLUE)))
    assert fitted.original.shape == (256, 512, 3)
    assert fitted.scale == 0.25
    assert tuple(fitted.original[0, 0]) == RED
    assert tuple(fitted.original[-1, -1]) == BLUE
    left, top, right, bottom = (round(edge * fitted.scale) for edge in fitted.box)
    assert (left, top, right, bottom) == (128, 0, 384, 256)


def test_a_thin_picture_has_a_preview_too() -> None:
    assert fit_image(encoded(noise_picture(3000, 1))).original.shape == (1, 512, 3)


def test_a_png_with_two_megabytes_of_text_opens_upright() -> None:
    """ImageMagick writes the EXIF data of a photo, and so its orientation, as text."""
    lying, exif = noise_picture(48, 96), Image.Exif()
    exif[0x0112] = 6
    raw = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    held = f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()
    plain = encoded(lying)
    texts = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(held))
    texts += chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000)
    texts += chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))
    fitted = fit_image(plain[:33] + texts + plain[33:])
    assert np.array_equal(fitted.original, np.asarray(lying.transpose(Transpose.ROTATE_270)))


def test_jpeg_is_accepted_by_all_its_endings() -> None:
    assert set(ENDINGS) == {"png", "jpg", "jpeg", "jfif"}
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
    lying, exif = noise_picture(48, 96), Image.Exif()
    exif[0x0112] = orientation
    fitted = fit_image(encoded(lying, kind, exif=exif))
    with Image.open(io.BytesIO(encoded(lying, kind))) as stored:
        upright = stored.convert("RGB").transpose(turn)
    assert np.array_equal(fitted.original, np.asarray(upright))
    width, height = upright.size
    assert fitted.box == ((0, 24, 48, 72) if height > width else (24, 0, 72, 48))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of damage; that is for the log
def test_unreadable_exif_leaves_the_picture_as_it_is() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\x06"
    assert fit_image(encoded(noise_picture(40, 80), "JPEG", exif=exif)).original.shape[2] == 3


# Modes


def test_transparent_pixels_show_white() -> None:
    clear = Image.new("RGBA", (64, 64), (*RED, 0))
    assert of_one_color(fit_image(encoded(clear)), (255, 255, 255))
    half = fit_image(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 128)))).pixels
    assert np.abs(half.astype(int) - 127).max() <= 1


def test_a_color_marked_transparent_shows_white() -> None:
    content = encoded(stripes(64, 64, RED, BLUE), transparency=RED)
    pixels = fit_image(content).pixels
    assert (pixels[:, :16] == 255).all()
    assert (pixels[:, 16:] == BLUE).all()


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(gray(80)),
        Image.fromarray(gray(80)).convert("RGB"),
        Image.fromarray(gray(80)).convert("RGBA"),
        Image.fromarray(gray(80)).convert("LA"),
        Image.fromarray(gray(80)).convert("P"),
        Image.fromarray(gray(80).astype(np.uint16) * 256),
    ],
    ids=lambda picture: picture.mode,
)
def test_every_mode_gives_the_same_color(picture: Image.Image) -> None:
    assert of_one_color(fit_image(encoded(picture)), (80, 80, 80))


def test_black_and_white_becomes_color() -> None:
    assert of_one_color(fit_image(encoded(Image.new("1", (40, 40), 1))), (255, 255, 255))


def test_a_palette_with_transparency_lies_over_white() -> None:
    picture = stripes(64, 64, RED, BLUE).quantize(2)
    pixels = fit_image(encoded(picture, transparency=bytes([0, 255]))).pixels
    assert (pixels == 255).all(axis=2).sum() == 32 * 16


def test_a_print_photo_in_cmyk_becomes_rgb() -> None:
    content = encoded(stripes(64, 64, RED).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(fit_image(content).pixels.astype(int) - RED).max() <= 5
