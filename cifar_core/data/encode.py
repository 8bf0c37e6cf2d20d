"""Images as data URIs."""

import base64
import io

import numpy as np
from numpy.typing import NDArray


def data_uri(image: NDArray[np.uint8]) -> str:
    """An (H, W, 3) uint8 image as a PNG in a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
