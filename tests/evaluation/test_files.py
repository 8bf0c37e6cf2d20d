"""The files of an evaluation: float16 keeps the first two places; notes fit their type."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.errors import RunError
from cifar_core.evaluation.files import PredictionsNote, SelectionFile, to_float16
from cifar_core.evaluation.metrics import topk_accuracy
from cifar_core.system.json_files import read_typed, write_typed
from tests.builders import manifest_of


def test_no_rounding_makes_a_tie_or_other_places() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1e-4, (20_000, 10)) - 2.3  # closer than float16 tells apart
    rounded = to_float16(logits)
    assert rounded.dtype == np.float16
    labels = generator.integers(0, 10, 20_000)
    for places in (1, 2):
        exact = top_k_accuracy_score(labels, logits, k=places)
        assert topk_accuracy(rounded, labels, places) == pytest.approx(exact, abs=1e-12)
    best, second = np.argsort(-logits, axis=1)[:, :2].T
    rows = np.arange(20_000)
    assert (rounded[rows, best] > rounded[rows, second]).all()
    assert (rounded[rows, second] >= np.sort(rounded, axis=1)[:, -2]).all()
    plain = logits.astype(np.float16)
    assert (plain.argmax(axis=1) != logits.argmax(axis=1)).mean() > 0.3, "rounding alone would"
    ulps = np.abs(rounded.view(np.int16).astype(int) - plain.view(np.int16))
    assert ulps.max() == 2
    assert ((ulps > 0).sum(axis=1) <= 2).all()


def test_equal_values_and_what_is_no_number_stay_so() -> None:
    logits = np.array([[-3, -1, -1, -2], [np.nan] * 4, [-np.inf, -np.inf, 0, -np.inf]])
    np.testing.assert_array_equal(to_float16(logits), logits.astype(np.float16))


def test_rows_that_rounding_leaves_alone_are_rounded_only() -> None:
    logits = np.log(np.random.default_rng(1).dirichlet(np.ones(10), 1000))
    clear = (np.diff(np.sort(logits, axis=1)[:, -3:], axis=1) > 0.01).all(axis=1)
    assert clear.sum() > 500
    assert (to_float16(logits)[clear] == logits[clear].astype(np.float16)).all()


def test_a_note_names_what_the_checkpoint_was() -> None:
    manifest = manifest_of(epoch=7, data="Shapes-10", fingerprint="abc")
    note = PredictionsNote.of("run-1", Checkpoint(Path("best-7"), manifest), "val", flip=True)
    assert (note.run, note.checkpoint, note.epoch) == ("run-1", "best-7", 7)
    assert (note.model, note.weights) == ("convnet", "w")
    assert (note.data, note.fingerprint) == ("Shapes-10", "abc")
    assert (note.split, note.flip) == ("val", True)


def test_notes_and_selections_are_read_as_written_and_refused_with_another_format(
    tmp_path: Path,
) -> None:
    note = PredictionsNote.of("r", Checkpoint(Path("best-1"), manifest_of()), "test", flip=False)
    for value in (note, SelectionFile("mine", "test", (1, 5))):
        write_typed(tmp_path / "file.json", value)
        assert read_typed(tmp_path / "file.json", type(value)) == value
    file = tmp_path / "note.json"
    write_typed(file, note)
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(RunError, match="format"):
        read_typed(file, PredictionsNote)
