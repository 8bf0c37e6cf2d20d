"""plot: a PNG of the curves of a run, of several, or of an LR test; mistakes get a sentence."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cifar_core import plots
from cifar_core.cli.main import main
from cifar_core.cli.plot import COMPARED
from cifar_core.lr_finder.curve import curve_of
from cifar_core.lr_finder.suggest import suggest_all
from cifar_core.plots.png import as_png
from cifar_core.records.records import LRPoint, read_metrics, to_line
from cifar_core.runs.lifecycle import create_run, rename_run
from cifar_core.runs.store import TrainingRun, read_run
from tests.real_jobs import DOWNLOAD, LR_REQUEST, new_run, rewrite


def same_picture(path: Path, content: bytes) -> bool:
    """Whether the pixels are equal."""
    with Image.open(path) as one, Image.open(io.BytesIO(content)) as other:
        return one.size == other.size and one.tobytes() == other.tobytes()


def test_a_training_is_drawn_as_on_its_page(copied: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves.png"
    words = ["--axis", "step", "--smoothing", "0.5", "--references"]
    assert main(["plot", "first", *words, "--out", str(out)]) == 0
    metrics = read_metrics(copied / "metrics.jsonl")
    curve, view = plots.run_curve(read_run(copied, TrainingRun), metrics), plots.View("step", 0.5)
    figures = {
        "Loss (nats)": plots.curves([curve], "loss", view),
        "Accuracy": plots.curves([curve], "acc", replace(view, references=True)),
        "Learning rate": plots.learning_rates(metrics),
    }
    assert same_picture(out, as_png(figures, "first"))


def test_several_trainings_share_their_axes(copied: Path, tmp_path: Path) -> None:
    twin = Path(shutil.copytree(copied, copied.with_name("20200101-000000-abcd")))
    rename_run(read_run(twin), "second", None)
    out = tmp_path / "curves.png"
    assert main(["plot", "first", "second", "--out", str(out)]) == 0
    metrics = read_metrics(copied / "metrics.jsonl")
    pair = [plots.run_curve(read_run(path, TrainingRun), metrics) for path in (copied, twin)]
    figures = {"Loss (nats)": plots.curves(pair, "loss"), "Accuracy": plots.curves(pair, "acc")}
    assert same_picture(out, as_png(figures, COMPARED))


def test_an_lr_test_is_drawn_with_its_suggestions(runs: Path, tmp_path: Path) -> None:
    points = [LRPoint(n + 1, 10 ** (n / 10 - 5), 2.3 - n / 40, 2.3 - n / 40) for n in range(40)]
    path = create_run(runs, LR_REQUEST, "range")
    (path / "metrics.jsonl").write_bytes(b"".join(map(to_line, points)))
    rewrite(path, "status.json", outcome="completed")
    out = tmp_path / "lr.png"
    assert main(["plot", path.name, "--out", str(out)]) == 0
    curve = curve_of(points)
    suggestions = suggest_all(curve, 5)
    assert suggestions
    figure = plots.lr_test(points, curve, suggestions, (1e-5, 10))
    assert same_picture(out, as_png({"Loss (nats)": figure}, read_run(path).name))


def test_what_cannot_be_drawn_gets_a_sentence(
    copied: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_run(runs, "empty")
    test, job = create_run(runs, LR_REQUEST, ""), create_run(runs, DOWNLOAD, "")
    out = str(tmp_path / "curves.png")
    cases = {
        ("nobody", "--out", out): "There is no run 'nobody'",
        ("empty", "--out", out): "empty has no finished epoch yet",
        ("first", "empty", "--out", out): "empty has no finished epoch yet",
        (test.name, "--out", out): "has no steps yet",
        (test.name, "first", "--out", out): "is not a training",
        (job.name, "--out", out): "is not a training",
        ("first", "--out", str(tmp_path / "curves.svg")): "has to end in .png",
        ("first", "--smoothing", "1", "--out", out): "give 0 to 0.99",
        ("first", "--smoothing", "nan", "--out", out): "give 0 to 0.99",
    }
    for words, sentence in cases.items():
        assert main(["plot", *words]) == 2, words
        assert sentence in capsys.readouterr().err, words
    assert not list(tmp_path.glob("*.png"))
