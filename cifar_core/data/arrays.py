"""Names for the array types in signatures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # images (..., H, W, 3)
Indices = NDArray[np.int64]  # positions in a split
Floats = NDArray[np.float32]
AnyFloats = NDArray[np.floating[Any]]  # where float32 and float64 meet
Chunk = tuple[Pixels, NDArray[np.uint8]]  # (N, 32, 32, 3) images, (N,) labels
