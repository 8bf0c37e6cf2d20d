"""CIFAR-10 in Parquet files as on the Hugging Face hub: pictures as PNG bytes, and labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cifar_core.data.arrays import Chunk
from cifar_core.data.image_files import check_regular, labeled
from cifar_core.data.png import decode_png
from cifar_core.errors import DataError

_ROWS = 1000  # decoded at once


def read_parquet(file: Path) -> Iterator[Chunk]:
    """Yields the images of a file in the order of its rows.

    Raises:
        DataError: if it is damaged, or holds something else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_regular(file, file.name)
    try:
        with pq.ParquetFile(file) as table:
            columns = ["img" if "img" in table.schema_arrow.names else "image", "label"]
            if not pa.types.is_integer(table.schema_arrow.field("label").type):
                raise ValueError("its labels are not whole numbers")
            for number, batch in enumerate(table.iter_batches(_ROWS, columns=columns)):
                labels = np.asarray(batch.column(1).to_pylist(), dtype=np.int64)
                rows = batch.column(0).to_pylist()
                images = [
                    decode_png(_png(row, number * _ROWS + k, file), file.name)
                    for k, row in enumerate(rows)
                ]
                yield labeled(images, labels, file.name)
    except (
        pa.ArrowException,
        OSError,
        LookupError,
        AttributeError,
        ValueError,
        TypeError,
    ) as error:
        raise DataError(
            f"{file.name} is damaged or not a Parquet file of CIFAR-10 ({error}). "
            "Download it again."
        ) from None


def _png(row: Any, number: int, file: Path) -> bytes:
    """The bytes of a picture; the library of the hub may store its path alone."""
    png = row.get("bytes") if isinstance(row, dict) else None
    if isinstance(png, bytes):
        return png
    path = row.get("path") if isinstance(row, dict) else None
    only = f", only its path {str(path)[:100]!r}" if path else ""
    raise DataError(
        f"Row {number:,} of {file.name} holds no picture{only}. Give a copy that has the pictures "
        "in its rows as PNG bytes."
    )
