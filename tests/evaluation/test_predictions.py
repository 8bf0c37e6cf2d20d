"""Predictions: which images, what follows from them, and that no damage goes unnoticed."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.data import Dataset
from cifar_core.errors import CheckpointError, ConfigError
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import (
    SPLITS,
    EvalSplit,
    Predictions,
    eval_split,
    has_predictions,
    predictions_path,
    read_predictions,
    write_predictions,
)
from cifar_core.system.json_files import write_typed
from tests.builders import manifest_of

PROBS = [[7, 2, 1], [1, 8, 1], [3, 5, 2], [6, 3, 1], [1, 8, 1], [2.5, 2.5, 5]]  # tenths
LABELS = [0, 0, 1, 2, 2, 1]
PREDICTED = [0, 1, 1, 0, 1, 2]
INDICES = [4, 7, 9, 11, 15, 16]
CHECKPOINT = Checkpoint(Path("best-0000003"), manifest_of())
NOTE = PredictionsNote.of("run", CHECKPOINT, "val", flip=False)
OTHER_DATA, RETRAINED = replace(NOTE, fingerprint="g"), replace(NOTE, weights="x")
LOG_PROBS = np.log(np.array(PROBS, np.float32) / 10)


def examples() -> EvalSplit:
    """Six images of three classes."""
    images, labels = np.zeros((17, 32, 32, 3), np.uint8), np.array(LABELS, np.uint8)
    return EvalSplit("val", ("ant", "bee", "cat"), "f", images, labels, np.array(INDICES))


def predictions_of() -> Predictions:
    return Predictions(LOG_PROBS, examples(), CHECKPOINT, NOTE)


def config_of(**changes: int) -> TrainConfig:
    return make_config({"val_size": 14, **changes})


def test_images_and_labels_are_those_of_the_dataset(tiny: Dataset) -> None:
    for split in SPLITS:
        examples = eval_split(tiny, config_of(), split)
        part, name = (tiny.test, "test") if split == "test" else (tiny.train, "train")
        indices, rows = examples.indices, [3, 0, 3]
        assert examples.labels.tolist() == part.labels[indices].tolist(), split
        assert len(indices) == {"test": 30, "val": 14, "train": 50}[split]
        assert np.array_equal(examples.pixels(rows), part.images[indices[rows]]), split
        assert (examples.classes, examples.fingerprint) == (tiny.classes, tiny.fingerprint)
        assert examples.name(2) == f"{name} {indices[2]}"
        assert [examples.find(int(i)) for i in indices] == list(range(len(indices))), split


def test_training_and_validation_share_the_training_images(tiny: Dataset) -> None:
    def indices(split: str, **changes: int) -> list[int]:
        return eval_split(tiny, config_of(**changes), split).indices.tolist()

    assert sorted(indices("train") + indices("val")) == list(range(64))
    assert indices("test") == list(range(30))
    fewer = indices("train", train_size=20)
    assert len(fewer) == 20
    assert set(fewer) < set(indices("train"))
    assert indices("val", train_size=20) == indices("val") == sorted(indices("val"))
    assert indices("val", seed=1) != indices("val")


def test_an_image_of_another_split_is_refused_with_its_index(tiny: Dataset) -> None:
    train, val = (eval_split(tiny, config_of(), split) for split in ("train", "val"))
    foreign = int(train.indices[5])
    with pytest.raises(ConfigError, match=f"no image {foreign} among the 14 of this val split"):
        val.find(foreign)
    with pytest.raises(ConfigError, match=r"no image 30 among the 30 .* from 0 to 29"):
        eval_split(tiny, config_of(), "test").find(30)


def test_unknown_and_empty_splits_are_refused(tiny: Dataset) -> None:
    with pytest.raises(ConfigError, match="Unknown split 'tests'"):
        eval_split(tiny, config_of(), "tests")
    with pytest.raises(ConfigError, match=r"held out no validation images \(val_size = 0\)"):
        eval_split(tiny, config_of(val_size=0), "val")
    assert len(eval_split(tiny, config_of(val_size=0), "train").indices) == 64


def test_what_follows_from_the_numbers() -> None:
    predictions = predictions_of()
    assert predictions.predicted.tolist() == PREDICTED
    assert predictions.confidence.tolist() == pytest.approx([0.7, 0.8, 0.5, 0.6, 0.8, 0.5])
    expected = [-math.log(p) for p in (0.7, 0.1, 0.5, 0.1, 0.1, 0.25)]
    assert predictions.losses.tolist() == pytest.approx(expected)
    assert predictions.matrix.tolist() == [[1, 1, 0], [0, 1, 1], [1, 1, 0]]
    assert predictions.acc == 2 / 6
    assert str(predictions) == "6 validation images of Made up, best-0000003 (epoch 1)"


ROWS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 3, 4, 5]),
    ({"show": "correct"}, [0, 2]),
    ({"show": "all"}, [0, 1, 2, 3, 4, 5]),
    ({"true": 2}, [3, 4]),
    ({"true": 2, "show": "correct"}, []),
    ({"predicted": 1}, [1, 4]),
    ({"predicted": 1, "show": "all"}, [1, 2, 4]),
    ({"true": 0, "predicted": 0}, []),
    ({"true": 0, "predicted": 0, "show": "all"}, [0]),
    ({"true": 2, "predicted": 1}, [4]),
]


def test_rows_are_selected_by_class_and_outcome() -> None:
    for selected, rows in ROWS:
        assert predictions_of().rows(**selected).tolist() == rows, selected


def test_the_margin_is_the_distance_to_the_second_class() -> None:
    assert predictions_of().margins.tolist() == pytest.approx(
        [0.5, 0.7, 0.2, 0.3, 0.7, 0.25], abs=1e-6
    )


def written(folder: Path, log_probs: NDArray[Any] = LOG_PROBS) -> Path:
    write_predictions(path := predictions_path(folder, "best-0000003", "val"), log_probs, NOTE)
    return path


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert path == tmp_path / "tables" / "best-0000003-val.npy"
    assert has_predictions(path)
    assert sorted(p.name for p in path.parent.iterdir()) == [f"{path.stem}.json", path.name]
    assert np.load(path).dtype == np.float16
    predictions = read_predictions(path, examples(), CHECKPOINT)
    assert predictions.log_probs.dtype == np.float32
    assert np.array_equal(predictions.log_probs, LOG_PROBS.astype(np.float16).astype(np.float32))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert predictions.note == replace(NOTE, sha256=sha256)
    assert predictions.predicted.tolist() == PREDICTED


def test_rounding_changes_no_prediction(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    close = generator.normal(-2.3, 2e-3, (6, 3)).astype(np.float32)
    close[0] = [-1.0001, -1.0, -5]
    assert (close.argmax(axis=1) != close.astype(np.float16).argmax(axis=1)).any()
    predictions = read_predictions(written(tmp_path, close), examples(), CHECKPOINT)
    assert predictions.predicted.tolist() == close.argmax(axis=1).tolist()
    assert predictions.log_probs == pytest.approx(close, abs=4e-3)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def write_objects(path: Path) -> None:
    """An array of the right shape and checksum that is a pickle."""
    objects = np.full((6, 3), None)
    objects[0, 0] = Trap(path.with_name("sprung"))
    np.save(path, objects, allow_pickle=True)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    write_typed(path.with_suffix(".json"), replace(NOTE, sha256=sha256))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no facts": (lambda p: p.with_suffix(".json").unlink(), "val was not evaluated yet"),
    "cut facts": (lambda p: cut(p.with_suffix(".json")), "is damaged: invalid JSON"),
    "no numbers": (lambda p: p.unlink(), "cannot be read: it is missing"),
    "cut numbers": (cut, "is damaged: its SHA-256"),
    "empty": (lambda p: p.write_bytes(b""), "is damaged: its SHA-256"),
    "other data": (
        lambda p: write_predictions(p, LOG_PROBS, OTHER_DATA),
        "was computed on other data",
    ),
    "other weights": (
        lambda p: write_predictions(p, LOG_PROBS, RETRAINED),
        "was computed with other weights",
    ),
    "bare facts": (lambda p: p.with_suffix(".json").write_text("{}"), "is damaged: run: field"),
    "fewer rows": (
        lambda p: write_predictions(p, LOG_PROBS[:5], NOTE),
        "5 rows for 6 images",
    ),
    "fewer classes": (lambda p: write_predictions(p, LOG_PROBS[:, :2], NOTE), ".npy"),
    "objects": (write_objects, ".npy"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_an_error_with_the_next_step(tmp_path: Path, name: str) -> None:
    path, (damage, message) = written(tmp_path), DAMAGES[name]
    damage(path)
    with pytest.raises(CheckpointError) as caught:
        read_predictions(path, examples(), CHECKPOINT)
    assert "best-0000003-val" in str(caught.value)
    assert message in str(caught.value)
    assert str(caught.value).endswith("in a terminal: evaluate RUN --again.")
    assert not path.with_name("sprung").exists()


def test_any_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(CheckpointError, match="is damaged"):
            read_predictions(path, examples(), CHECKPOINT)


@pytest.mark.parametrize("blocked", [".npy", ".json"])
@pytest.mark.parametrize("before", [True, False], ids=["again", "first"])
def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, blocked: str, before: bool) -> None:
    path = written(tmp_path) if before else predictions_path(tmp_path, "best-0000003", "val")
    path.with_suffix(blocked).unlink(missing_ok=True)
    path.with_suffix(blocked).mkdir(parents=True)  # what cannot be replaced by a file
    with pytest.raises(OSError, match="directory"):
        write_predictions(path, LOG_PROBS + 1, NOTE)
    assert not list(path.parent.glob(".*"))
    assert before or not has_predictions(path)
    with pytest.raises(CheckpointError):
        read_predictions(path, examples(), CHECKPOINT)
