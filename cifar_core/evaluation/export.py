"""What is taken along: records as a table that other programs read, images as files."""

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cifar_core.evaluation.predictions import Predictions


def images_zip(table: "Predictions", rows: Sequence[int]) -> bytes:
    """Images of a table as PNG files, and a CSV of what they are and what the model says."""
    from PIL import Image

    examples, content = table.examples, io.BytesIO()
    lines = [("file", "index", "true", "predicted", "confidence", "loss")]
    with zipfile.ZipFile(content, "w") as archive:
        for row, pixels in zip(rows, examples.pixels(list(rows)), strict=True):
            index = int(examples.indices[row])
            true, predicted = (
                examples.classes[k] for k in (examples.labels[row], table.predictions[row])
            )
            file, picture = f"{examples.split}-{index:05d}-{true}.png", io.BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            archive.writestr(file, picture.getvalue())
            figures = f"{table.confidence[row]:.6f}", f"{table.losses[row]:.6f}"
            lines.append((file, str(index), true, predicted, *figures))
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        archive.writestr("images.csv", text.getvalue())
    return content.getvalue()
