"""Images in data URIs come back pixel by pixel."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cifar_core.data.encode import data_uri


@pytest.mark.parametrize("turned", [False, True])
def test_an_image_comes_back_pixel_by_pixel(turned: bool) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 20, 3), dtype=np.uint8)
    image = image.transpose(1, 0, 2) if turned else image  # not contiguous
    head, _, content = data_uri(image).partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as read:
        assert (np.asarray(read) == image).all()
