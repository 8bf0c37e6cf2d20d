"""What is taken along: records as a table that other programs read, images as files."""

import base64
import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core.records import EpochRecord, Metrics, StepRecord

if TYPE_CHECKING:
    from cifar_core.tables import Table


def records_csv(metrics: Metrics) -> str:
    """All steps and epochs in the order of the steps, one line each; empty where one has none."""
    names = list(dict.fromkeys(f.name for kind in (StepRecord, EpochRecord) for f in fields(kind)))
    text = io.StringIO()
    table = csv.DictWriter(text, ["kind", *names], lineterminator="\n")
    table.writeheader()
    for record in sorted(
        (*metrics.steps, *metrics.epochs), key=lambda r: (r.step, r.kind != "step")
    ):
        table.writerow({"kind": record.kind, **asdict(record)})
    return text.getvalue()


def data_uri(image: NDArray[np.uint8]) -> str:
    """A PNG of an (H, W, 3) uint8 image inside a link."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def images_zip(table: "Table", rows: Sequence[int]) -> bytes:
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
