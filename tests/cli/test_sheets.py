"""data sheet and errors: every image asked for is on the PNG; mistakes get a sentence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.cli.main import main
from cifar_core.data import open_dataset
from cifar_core.data.sheet import GAP, LINE, SCALE, split_sheet
from cifar_core.evaluation.export import images_png
from cifar_core.evaluation.sorting import most_confident_errors
from tests.cli.test_explain import fill, table_of


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_sheet_has_a_row_of_each_class(split: str, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "images.png"
    words = ["--data", "shapes10", "--split", split, "--per-class", "3", "--out", str(out)]
    assert main(["data", "sheet", *words]) == 0
    data = open_dataset("shapes10")
    images = data.train if split == "train" else data.test
    with Image.open(out) as picture:
        sheet = np.asarray(picture)
    step_x, step_y = 32 * SCALE + 2 * GAP, 32 * SCALE + GAP + 2 * LINE + 2 * GAP
    for k in range(10):
        for column, index in enumerate(np.flatnonzero(images.labels == k)[:3]):
            x, y = GAP + column * step_x, 2 * GAP + LINE + k * step_y
            pixels = sheet[y : y + 32 * SCALE : SCALE, x : x + 32 * SCALE : SCALE]
            assert np.array_equal(pixels, images.images[index]), (k, column)
    first = np.concatenate([np.flatnonzero(images.labels == k)[:3] for k in range(10)])
    assert out.read_bytes() == split_sheet(data, split, first, columns=3)


def test_errors_are_the_most_confident_ones(copied: Path, tmp_path: Path) -> None:
    fill(copied, 1.5)
    out = tmp_path / "errors.png"
    assert main(["errors", "first", "--worst", "7", "--out", str(out)]) == 0
    predictions = table_of(copied)
    rows = most_confident_errors(predictions, 7)
    assert len(rows) == 7
    assert out.read_bytes() == images_png("first", predictions, rows)


def test_mistakes_get_a_sentence(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(copied, 100.0)
    out = ["--out", str(tmp_path / "sheet.png")]
    shapes = ["data", "sheet", "--data", "shapes10"]
    cases = {
        (*shapes, "--per-class", "0", *out): "give 1 to 60",
        (*shapes, "--per-class", "61", *out): "give 1 to 60",
        (*shapes, "--out", str(tmp_path / "sheet.jpg")): "has to end in .png",
        (*shapes, "--out", str(tmp_path / "no" / "sheet.png")): "there is no such folder",
        ("errors", "first", "--worst", "0", *out): "give 1 to 500",
        ("errors", "nobody", *out): "There is no run 'nobody'",
        ("errors", "first", *out): "There are no errors among",
    }
    for words, sentence in cases.items():
        assert main(words) == 2, words
        assert sentence in capsys.readouterr().err, words
    assert not list(tmp_path.glob("*.png"))
