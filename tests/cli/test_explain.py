"""evaluate and explain on the command line: results, and one sentence for mistakes."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cifar_core.checkpoints.checkpoint import find_checkpoint, list_checkpoints
from cifar_core.cli.main import main
from cifar_core.data import open_dataset
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import (
    Predictions,
    predictions_path,
    write_predictions,
)
from cifar_core.runs.store import AnalysisJob, Run, TrainingRun, list_runs, read_run
from tests.cli.calls import out
from tests.made_up_data import png


def fill(run_dir: Path, certainty: float) -> None:
    """Writes a made-up table of the test images; the higher the certainty, the fewer errors."""
    best, data = find_checkpoint(run_dir), open_dataset("shapes10")
    scores = np.random.default_rng(0).normal(size=(len(data.test), 10))
    scores[np.arange(len(scores)), data.test.labels] += certainty
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    note = PredictionsNote.of(run_dir.name, best, "test", flip=False)
    write_predictions(predictions_path(run_dir, best.name, "test"), log_probs, note)


@pytest.fixture
def subject(copied: Path) -> Path:
    """A run with a table of its test images, by which about half are recognised."""
    fill(copied, 1.5)
    return copied


def strict(text: str) -> dict[str, Any]:
    """JSON as others read it, too: without NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def table_of(run_dir: Path) -> Predictions:
    return load_predictions(read_run(run_dir, TrainingRun))


def test_evaluate_starts_a_job_once_and_prints_the_whole_matrix(
    capsys: pytest.CaptureFixture[str], copied: Path
) -> None:
    told = strict(out(capsys, "evaluate", "first", "--split", "val", "--json"))
    matrix = np.array(told["matrix"])
    assert (matrix.shape, matrix.sum(), told["num_images"]) == ((10, 10), 256, 256)
    assert told["acc"] == np.trace(matrix) / 256
    assert told["loss"] == pytest.approx(
        read_run(copied, TrainingRun).status.best.val_loss, abs=1e-3
    )
    classes = list(told["per_class_accuracy"])
    assert classes == list(open_dataset("shapes10").classes)
    for true, predicted, count in told["confused"]:
        assert matrix[classes.index(true), classes.index(predicted)] == count
    expected = {"split": "val", "data": "Shapes-10", "model": "convnet"}
    assert told == {**told, **expected, "checkpoint": find_checkpoint(copied).name}
    (job,) = list_runs(copied.parent, AnalysisJob)
    assert strict(out(capsys, "evaluate", copied.name, "--split", "val", "--json")) == told
    assert not {"format", "sha256"} & set(told), "the form of a file is nobody's business"
    assert list_runs(copied.parent, AnalysisJob)[0].run_id == job.run_id
    out(capsys, "evaluate", "first", "--split", "val", "--again")
    (again,) = list_runs(copied.parent, AnalysisJob)
    assert again.run_id != job.run_id


def test_evaluate_names_the_run_in_its_json(
    capsys: pytest.CaptureFixture[str], subject: Path
) -> None:
    told = strict(out(capsys, "evaluate", "first", "--json"))
    assert (told["run"], told["run_id"]) == ("first", subject.name)


def test_evaluate_prints_each_class_and_the_most_confused(
    capsys: pytest.CaptureFixture[str], subject: Path
) -> None:
    table, text = table_of(subject), out(capsys, "evaluate", "first")
    head, *classes, title, first = text.splitlines()[:13]
    assert head == f"first: {table.acc:.2%} of {table}"
    shares = np.diag(table.matrix) / table.matrix.sum(axis=1)
    assert [line.split() for line in classes] == [
        [name, f"{share:.2%}"] for name, share in zip(table.examples.classes, shares, strict=True)
    ]
    assert title == "Most confused, true -> predicted:"
    wrong = table.matrix * (1 - np.eye(10, dtype=int))
    assert first.endswith(f": {wrong.max():,}")


def test_a_class_without_images_is_still_json(
    capsys: pytest.CaptureFixture[str], subject: Path
) -> None:
    request = json.loads((subject / "request.json").read_text())
    request["config"]["val_size"] = 3
    (subject / "request.json").write_text(json.dumps(request))
    told = strict(out(capsys, "evaluate", "first", "--split", "val", "--json"))
    assert list(told["per_class_accuracy"].values()).count(None) >= 7
    assert "nan" not in out(capsys, "evaluate", "first", "--split", "val")


def picture(path: Path) -> np.ndarray:
    with Image.open(io.BytesIO(path.read_bytes())) as opened:
        assert opened.format == "PNG"
        return np.asarray(opened.convert("RGB"))


def first_image(sheet: np.ndarray) -> np.ndarray:
    """The image of the first card: below two lines of heading, enlarged four times."""
    return sheet[44:172:4, 6:134:4]


def test_explain_draws_the_errors_it_was_most_certain_of(
    capsys: pytest.CaptureFixture[str], subject: Path, tmp_path: Path
) -> None:
    path, table = tmp_path / "maps.png", table_of(subject)
    assert out(capsys, "explain", "first", "--worst", "3", "--out", str(path)) == (
        f"Wrote {path}.\n"
    )
    wrong = np.flatnonzero(table.predicted != table.examples.labels)
    worst = wrong[np.argsort(-table.confidence[wrong], kind="stable")[0]]
    assert np.array_equal(first_image(picture(path)), table.examples.pixels([int(worst)])[0])
    ten = tmp_path / "ten.PNG"
    out(capsys, "explain", "first", "--out", str(ten))  # without a number they are 10
    assert picture(ten).shape[0] > picture(path).shape[0]
    assert [job.kind for job in list_runs(subject.parent, Run)] == ["train"]


def test_without_errors_there_are_none_to_list_or_draw(
    capsys: pytest.CaptureFixture[str], copied: Path, tmp_path: Path
) -> None:
    fill(copied, 100)
    text = out(capsys, "evaluate", "first")
    assert text.startswith("first: 100.00% of 2,000 test images")
    assert "Most confused" not in text
    words = ["explain", "first", "--out", str(tmp_path / "x.png")]
    assert "no errors among 2,000 test images" in refused(words, capsys)
    out(capsys, *words, "--images", "3")


def test_explain_draws_images_by_index(
    capsys: pytest.CaptureFixture[str], subject: Path, tmp_path: Path
) -> None:
    def drawn(name: str, *words: str) -> np.ndarray:
        path = tmp_path / f"{name}.png"
        out(capsys, "explain", "first", "--images", "1234", "7", "--out", str(path), *words)
        return picture(path)

    plain = drawn("plain")
    assert np.array_equal(first_image(plain), table_of(subject).examples.pixels([1234])[0])
    star, number = drawn("star", "--target", "star"), drawn("8", "--target", "8")
    assert np.array_equal(star, number), "a class by number is told by its name"
    assert not np.array_equal(star[44:], drawn("ring", "--target", "ring")[44:])
    assert not np.array_equal(plain[44:], drawn("layer", "--layer", "layer1")[44:])
    assert not np.array_equal(plain[44:], drawn("method", "--method", "EigenCAM")[44:])
    bare = drawn("bare", "--opacity", "0")
    assert np.array_equal(bare[44:172, 6:134], bare[44:172, 274:402])  # the overlay is the image
    drawn("true", "--target", "true", "--opacity", "100")


def test_explain_draws_a_picture_of_ones_own(
    capsys: pytest.CaptureFixture[str], copied: Path, tmp_path: Path
) -> None:
    own, path = tmp_path / "own.png", tmp_path / "maps.png"
    own.write_bytes(png(np.full((50, 40, 3), (250, 40, 60), np.uint8)))
    words = ("explain", "first", "--file", str(own), "--target", "star", "--out", str(path))
    drawn = []
    for checkpoint in list_checkpoints(copied, "last"):
        out(capsys, *words, "--checkpoint", checkpoint.name)
        drawn.append(picture(path)[44:])
    assert (drawn[0][:128:4, 6:134:4] == (250, 40, 60)).all()
    assert not np.array_equal(*drawn)
    assert not list_runs(copied.parent, AnalysisJob)  # it needs no table


MISTAKES = [
    (["evaluate", "nobody"], ["nobody", "Known: first"]),
    (["evaluate", "first", "--checkpoint", "best-7"], ["best-7", "Available: ", "last-"]),
    (["explain", "nobody", "--out", "x.png"], ["nobody", "Known: first"]),
    (["explain", "first", "--out", "x.png", "--split", "tests"], ["tests", "test, val, train"]),
    (["explain", "first", "--out", "x.png", "--layer", "fc"], ["fc", "Choose one of: stem"]),
    (["explain", "first", "--out", "x.png", "--method", "CAM"], ["CAM", "GradCAM, GradCAM++"]),
    (["explain", "first", "--out", "x.png", "--target", "10"], ["'10'", "0 to 9", "circle"]),
    (["explain", "first", "--out", "x.png", "--worst", "0"], ["--worst 0", "1 to 48"]),
    (["explain", "first", "--out", "x.png", "--worst", "49"], ["--worst 49", "1 to 48"]),
    (["explain", "first", "--out", "x.png", "--images", "2000"], ["2000", "0 to 1999"]),
    (["explain", "first", "--out", "x.png", "--images", "3", "-1"], ["-1", "0 to 1999"]),
    (["explain", "first", "--out", "x.png", "--images", *"1" * 49], ["49 images", "1 to 48"]),
    (["explain", "first", "--out", "x.png", "--worst", "3", "--images", "3"], ["not allowed"]),
    (["explain", "first", "--out", "x.png", "--opacity", "150"], ["150", "0 to 100"]),
    (["explain", "first", "--out", "x.jpg"], ["x.jpg", ".png"]),
    (["explain", "first"], ["--out"]),
    (["explain", "first", "--out", "nowhere/x.png"], ["nowhere/x.png", "no such folder"]),
    (["explain", "first", "--out", "folder.png"], ["folder.png", "cannot be written"]),
    (["explain", "first", "--out", "x.png", "--file", "nowhere.png"], ["nowhere.png", "No such"]),
    (["explain", "first", "--out", "x.png", "--file", "text.png"], ["This is not an image"]),
    (["explain", "first", "--out", "x.png", "--file", "folder.png"], ["folder.png", "directory"]),
    (["explain", "first", "--out", "x.png", "--file", "own.png", "--layer", "fc"], ["fc", "stem"]),
    (
        ["explain", "first", "--out", "x.png", "--file", "own.png", "--target", "true"],
        ["is unknown"],
    ),
    (
        ["explain", "first", "--out", "x.png", "--file", "own.png", "--split", "test"],
        ["--split", "Leave out --split or --file."],
    ),
    (
        ["explain", "first", "--out", "x.png", "--file", "own.png", "--flip"],
        ["--flip", "Leave out --flip or --file."],
    ),
]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The only line that a mistake is answered with."""
    try:
        code = main(words)
    except SystemExit as exit_:  # argparse's way out
        code = exit_.code
    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("\n")) == (2, "", 1)
    return printed.err


@pytest.mark.parametrize(("words", "told"), MISTAKES, ids=lambda v: " ".join(v)[:60])
def test_a_mistake_gets_one_sentence_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    subject: Path,
    tmp_path: Path,
    words: list[str],
    told: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text.png").write_text("a word")
    (tmp_path / "own.png").write_bytes(png(np.zeros((40, 40, 3), np.uint8)))
    before = sorted(tmp_path.rglob("*"))
    message = refused(words, capsys)
    for text in told:
        assert text in message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("words", [["--worst", "0"], ["--opacity", "150"], ["--method", "CAM"]])
def test_what_can_be_known_at_once_starts_no_evaluation(
    capsys: pytest.CaptureFixture[str], copied: Path, tmp_path: Path, words: list[str]
) -> None:
    refused(["explain", "first", "--out", str(tmp_path / "x.png"), *words], capsys)
    assert list_runs(copied.parent, AnalysisJob) == []
