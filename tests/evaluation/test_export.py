"""Records as CSV, images as files: every one, in order, every figure as it was."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.data.sheet import GAP, LINE, SCALE, Captioned, captioned_sheet, enlarged
from cifar_core.evaluation.export import images_png, images_zip
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import EvalSplit, Predictions
from cifar_core.system.utilization import system_load
from tests.builders import manifest_of


def test_the_load_of_this_machine_is_possible() -> None:
    load = system_load()
    assert 0 <= load.cpu <= 1
    assert 0 < load.memory_used < load.memory_total


@pytest.fixture
def predictions() -> Predictions:
    """Of three images among twenty; the middle one is wrong."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    labels, indices = np.array([0, 1, 2], np.uint8), np.array([3, 11, 19])
    examples = EvalSplit("test", ("ant", "bee", "cat"), "f", images, labels, indices)
    probs = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]], np.float32)
    checkpoint = Checkpoint(Path("best-1"), manifest_of())
    note = PredictionsNote.of("run", checkpoint, "test", flip=False)
    return Predictions(np.log(probs), examples, checkpoint, note)


def test_images_leave_as_files_with_what_is_said_of_them(predictions: Predictions) -> None:
    content = images_zip(predictions, [2, 1])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["test-00019-cat.png", "test-00011-bee.png", "images.csv"]
        with Image.open(archive.open("test-00019-cat.png")) as picture:
            assert (np.asarray(picture) == predictions.examples.images[19]).all()
        rows = list(csv.DictReader(io.StringIO(archive.read("images.csv").decode())))
    assert [row["index"] for row in rows] == ["19", "11"]
    assert (rows[1]["true"], rows[1]["predicted"]) == ("bee", "ant")
    assert float(rows[1]["confidence"]) == pytest.approx(0.6, abs=1e-6)
    assert float(rows[1]["loss"]) == pytest.approx(-np.log(0.3), abs=1e-6)


def test_classes_of_any_name_lead_nowhere_and_compute_nothing() -> None:
    images, labels = np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1], np.uint8)
    classes = ("../../x", "=cmd|' /C calc'!A0")
    examples = EvalSplit("test", classes, "f", images, labels, np.arange(2))
    note = PredictionsNote.of("run", Checkpoint(Path("best-1"), manifest_of()), "test", flip=False)
    probs = np.full((2, 2), 0.5, np.float32)
    made = Predictions(np.log(probs), examples, Checkpoint(Path("best-1"), manifest_of()), note)
    with zipfile.ZipFile(io.BytesIO(images_zip(made, [0, 1]))) as archive:
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("images.csv").decode())))
    assert not [name for name in names if "/" in name or ".." in name]
    assert [row["file"] for row in rows] == names[:2]
    assert [row["true"] for row in rows] == [classes[0], f"'{classes[1]}"]


def test_a_sheet_has_the_images_in_order_and_says_what_they_are(predictions: Predictions) -> None:
    with Image.open(io.BytesIO(images_png("run", predictions, [2, 1]))) as picture:
        sheet = np.asarray(picture)
    top = 2 * GAP + LINE
    for number, index in enumerate((19, 11)):
        left = GAP + number * (32 * SCALE + 2 * GAP)
        pixels = sheet[top : top + 32 * SCALE : SCALE, left : left + 32 * SCALE : SCALE]
        assert np.array_equal(pixels, predictions.examples.images[index])
    examples = predictions.examples
    captions = [("cat 80%", "true: cat", "test 19"), ("ant 60%", "true: bee", "test 11")]
    by_hand = [
        Captioned(enlarged(examples.images[index]), lines)
        for index, lines in zip((19, 11), captions, strict=True)
    ]
    assert images_png("run", predictions, [2, 1]) == captioned_sheet(
        by_hand, (f"run: {predictions}",)
    )
