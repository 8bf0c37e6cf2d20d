"""Uploads that are refused: other files, damaged ones, enormous ones, each with its sentence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cifar_core.data.upload import fit_image
from cifar_core.errors import DataError
from tests.pictures import chunk, encoded, noise_picture


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\0", "not an image"),
        (b"hello", "not an image"),
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
    with pytest.raises(DataError, match=rf"{sentence}.*Upload a PNG or JPEG image\."):
        fit_image(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind: str, share: float) -> None:
    content = encoded(noise_picture(64, 64), kind)
    with pytest.raises(DataError, match="damaged or truncated"):
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
    with pytest.raises(DataError, match="damaged or truncated"):
        fit_image(claimed(6000, 6000))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of damage; that is for the log
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damage_anywhere_gives_a_picture_or_a_sentence(kind: str) -> None:
    content = encoded(noise_picture(24, 24), kind, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
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
    assert all("Upload a" in sentence for sentence in sentences)
