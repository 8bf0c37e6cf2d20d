"""Images and their predictions as a ZIP, or on one PNG."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cifar_core.data.sheet import Captioned, captioned_sheet, enlarged
from cifar_core.records.csv import cell

if TYPE_CHECKING:
    from cifar_core.evaluation.predictions import Predictions


def images_zip(predictions: "Predictions", rows: Sequence[int]) -> bytes:
    """(M,) rows as PNG files and a CSV of their classes, confidence and loss."""
    from PIL import Image

    examples, content = predictions.examples, io.BytesIO()
    lines = [("file", "index", "true", "predicted", "confidence", "loss")]
    with zipfile.ZipFile(content, "w") as archive:
        for row, pixels in zip(rows, examples.pixels(list(rows)), strict=True):
            index = int(examples.indices[row])
            true, predicted = (
                examples.classes[k] for k in (examples.labels[row], predictions.predicted[row])
            )
            label = re.sub(r"[^\w-]", "_", true)  # a class may be called anything
            file, picture = f"{examples.split}-{index:05d}-{label}.png", io.BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            archive.writestr(file, picture.getvalue())
            figures = f"{predictions.confidence[row]:.6f}", f"{predictions.losses[row]:.6f}"
            lines.append((file, str(index), cell(true), cell(predicted), *figures))
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        archive.writestr("images.csv", text.getvalue())
    return content.getvalue()


def images_png(run_name: str, predictions: "Predictions", rows: Sequence[int]) -> bytes:
    """(M,) rows, at least one, as a sheet: each image with its predicted and true class."""
    examples = predictions.examples
    pictures = [
        Captioned(
            enlarged(pixels),
            (
                f"{examples.classes[predictions.predicted[row]]} {predictions.confidence[row]:.0%}",
                f"true: {examples.classes[examples.labels[row]]}",
                examples.name(row),
            ),
        )
        for row, pixels in zip(rows, examples.pixels(list(rows)), strict=True)
    ]
    return captioned_sheet(pictures, (f"{run_name}: {predictions}",))
