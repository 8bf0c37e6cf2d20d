"""PNG chunks: long texts and profiles do not make a picture damaged, and nothing inflates far."""

import io
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cifar_core.data.png import decode_png, pixels_only, without_long_parts
from cifar_core.errors import DataError
from tests.made_up_data import png
from tests.pictures import chunk

PIXELS = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
PLAIN = png(PIXELS)
HEADER = 33  # bytes of the signature and of IHDR; after them other chunks may come
NOISE = np.random.default_rng(4).bytes(3_000_000)
ZEROS = zlib.compress(bytes(50_000_000), 9)  # 50 kB that inflate a thousandfold
CHUNKS = {
    "2 MB of text": chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000),
    "2 MB of packed text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(NOISE[:2_000_000])),
    "2 MB of text in UTF-8": chunk(
        b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(NOISE[:2_000_000])
    ),
    "2 MB of XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 2_000_000)),
    "a profile of 3 MB": chunk(b"iCCP", b"Wide\0\0" + zlib.compress(NOISE)),
    "100 texts of 1 MB": chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(1_000_000), 9)) * 100,
    "a text that is a bomb": chunk(b"zTXt", b"Comment\0\0" + ZEROS),
    "a profile that is a bomb": chunk(b"iCCP", b"Wide\0\0" + ZEROS),
}


@pytest.mark.parametrize("extra", CHUNKS.values(), ids=CHUNKS)
def test_a_picture_with_long_texts_and_profiles_opens(extra: bytes) -> None:
    loaded = PLAIN[:HEADER] + extra + PLAIN[HEADER:]
    tracemalloc.start()
    np.testing.assert_array_equal(decode_png(loaded, "x.png"), PIXELS)
    short, long_profile = without_long_parts(loaded)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with Image.open(io.BytesIO(short)) as image:
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert long_profile == (b"iCCP" in extra)
    assert peak < 6 * len(loaded) + 4_000_000, "no more is inflated than Pillow would"


def test_the_limits_of_pillow_are_as_they_were() -> None:
    assert PngImagePlugin.MAX_TEXT_CHUNK == 1 << 20
    assert PngImagePlugin.MAX_TEXT_MEMORY == 64 << 20
    assert Image.MAX_IMAGE_PIXELS == (1 << 30) // 12


def test_what_says_how_a_photo_was_held_and_a_short_profile_stay() -> None:
    packed = zlib.compress(b"short")
    held = chunk(b"zTXt", b"Raw profile type exif\0\0" + packed)
    profile = chunk(b"iCCP", b"sRGB\0\0" + packed)
    comment = chunk(b"tEXt", b"Comment\0short")
    loaded = PLAIN[:HEADER] + held + comment + profile + held + PLAIN[HEADER:]
    assert without_long_parts(loaded) == (PLAIN[:HEADER] + held + profile + PLAIN[HEADER:], False)
    assert pixels_only(loaded) == PLAIN


def test_what_is_no_png_or_cut_off_is_left_as_it_is() -> None:
    for content in (b"", b"\xff\xd8\xff", b"text", *(PLAIN[:end] for end in range(len(PLAIN)))):
        assert pixels_only(content) == content
        assert without_long_parts(content) == (content, False)


@pytest.mark.parametrize("content", [b"", b"text", PLAIN[:8], PLAIN[:40], b"\x89PNG"])
def test_no_sentence_holds_an_address_in_memory(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^x\.png contains ") as caught:
        decode_png(content, "x.png")
    assert "0x" not in str(caught.value)
