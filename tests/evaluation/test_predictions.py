"""Tables: which images, what follows from the numbers, and that no damage goes unnoticed."""

import hashlib
import json
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
from cifar_core.evaluation.sorting import SORTS, sort_rows

PROBS = [[7, 2, 1], [1, 8, 1], [3, 5, 2], [6, 3, 1], [1, 8, 1], [2.5, 2.5, 5]]  # tenths
LABELS = [0, 0, 1, 2, 2, 1]
PREDICTED = [0, 1, 1, 0, 1, 2]
INDICES = [4, 7, 9, 11, 15, 16]
MANIFEST = {"model": "convnet", "fingerprint": "f", "sha256": {"weights.safetensors": "w"}}
CHECKPOINT = Checkpoint(Path("best-0000003"), "best", 3, 1, MANIFEST)
FACTS = {"data": "Made up", "fingerprint": "f", "weights": "w", "split": "val"}
OTHER_DATA, RETRAINED = {**FACTS, "fingerprint": "g"}, {**FACTS, "weights": "x"}
LOG_PROBS = np.log(np.array(PROBS, np.float32) / 10)


def examples() -> EvalSplit:
    """Six images of three classes."""
    images, labels = np.zeros((17, 32, 32, 3), np.uint8), np.array(LABELS, np.uint8)
    return EvalSplit("val", ("ant", "bee", "cat"), "f", images, labels, np.array(INDICES))


def table_of() -> Predictions:
    return Predictions(LOG_PROBS, examples(), CHECKPOINT, FACTS)


def config_of(**changes: int) -> TrainConfig:
    return make_config({"val_size": 14, **changes})


@pytest.mark.parametrize("split", SPLITS)
def test_images_and_labels_are_those_of_the_data_set(split: str, tiny: Dataset) -> None:
    found = eval_split(tiny, config_of(), split)
    part = tiny.test if split == "test" else tiny.train
    assert found.labels.tolist() == part.labels[found.indices].tolist()
    assert len(found.indices) == {"test": 30, "val": 14, "train": 50}[split]
    rows = [3, 0, 3]
    assert np.array_equal(found.pixels(rows), part.images[found.indices[rows]])
    assert (found.classes, found.fingerprint) == (tiny.classes, tiny.fingerprint)
    assert found.name(2) == f"{'test' if split == 'test' else 'train'} {found.indices[2]}"
    assert [found.find(int(index)) for index in found.indices] == list(range(len(found.indices)))


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
    with pytest.raises(ConfigError, match=r"held nothing out \(val_size = 0\)"):
        eval_split(tiny, config_of(val_size=0), "val")
    assert len(eval_split(tiny, config_of(val_size=0), "train").indices) == 64


def test_what_follows_from_the_numbers() -> None:
    table = table_of()
    assert table.predictions.tolist() == PREDICTED
    assert table.confidence.tolist() == pytest.approx([0.7, 0.8, 0.5, 0.6, 0.8, 0.5])
    expected = [-math.log(p) for p in (0.7, 0.1, 0.5, 0.1, 0.1, 0.25)]
    assert table.losses.tolist() == pytest.approx(expected)
    assert table.matrix.tolist() == [[1, 1, 0], [0, 1, 1], [1, 1, 0]]
    assert table.acc == 2 / 6
    assert str(table) == "6 validation images of Made up, best-0000003 (epoch 1)"


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({}, [1, 3, 4, 5]),
        ({"show": "right"}, [0, 2]),
        ({"show": "all"}, [0, 1, 2, 3, 4, 5]),
        ({"true": 2}, [3, 4]),
        ({"true": 2, "show": "right"}, []),
        ({"predicted": 1}, [1, 4]),
        ({"predicted": 1, "show": "all"}, [1, 2, 4]),
        ({"true": 0, "predicted": 0}, []),
        ({"true": 0, "predicted": 0, "show": "all"}, [0]),
        ({"true": 2, "predicted": 1}, [4]),
    ],
)
def test_rows_are_chosen_by_class_and_verdict(chosen: dict[str, Any], rows: list[int]) -> None:
    assert table_of().rows(**chosen).tolist() == rows


def test_orders_keep_ties_as_in_the_data_set() -> None:
    table, every = table_of(), np.arange(6)
    expected = {
        "confidence": [1, 4, 0, 3, 2, 5],
        "loss": [1, 3, 4, 5, 2, 0],
        "index": [0, 1, 2, 3, 4, 5],
    }
    margins = np.sort(np.exp(table.log_probs), axis=1)
    assert table.margins == pytest.approx(margins[:, -1] - margins[:, -2])
    expected["margin"] = np.argsort(table.margins, kind="stable").tolist()
    assert set(SORTS) == set(expected)
    for by, rows in expected.items():
        assert sort_rows(table, every, by).tolist() == rows
        assert sort_rows(table, table.rows(), by).tolist() == [r for r in rows if r not in (0, 2)]
        assert sort_rows(table, every[:0], by).tolist() == []
    assert sort_rows(table, np.tile(every, 50), "confidence").tolist()[:100] == [1, 4] * 50
    reordered = replace(table, examples=replace(table.examples, indices=np.array(INDICES[::-1])))
    assert sort_rows(reordered, every, "index").tolist() == [5, 4, 3, 2, 1, 0]
    with pytest.raises(ConfigError, match="Unknown order 'size'"):
        sort_rows(table, every, "size")


def written(folder: Path, log_probs: NDArray[Any] = LOG_PROBS) -> Path:
    write_predictions(path := predictions_path(folder, "best-0000003", "val"), log_probs, FACTS)
    return path


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert path == tmp_path / "tables" / "best-0000003-val.npy"
    assert has_predictions(path)
    assert sorted(p.name for p in path.parent.iterdir()) == [f"{path.stem}.json", path.name]
    assert np.load(path).dtype == np.float16
    found = read_predictions(path, examples(), CHECKPOINT)
    assert found.log_probs.dtype == np.float32
    assert np.array_equal(found.log_probs, LOG_PROBS.astype(np.float16).astype(np.float32))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.facts == {"format": 1, **FACTS, "sha256": sha256}
    assert found.predictions.tolist() == PREDICTED


def test_rounding_changes_no_prediction(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    close = generator.normal(-2.3, 2e-3, (6, 3)).astype(np.float32)
    close[0] = [-1.0001, -1.0, -5]
    assert (close.argmax(axis=1) != close.astype(np.float16).argmax(axis=1)).any()
    found = read_predictions(written(tmp_path, close), examples(), CHECKPOINT)
    assert found.predictions.tolist() == close.argmax(axis=1).tolist()
    assert found.log_probs == pytest.approx(close, abs=4e-3)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def write_objects(path: Path) -> None:
    """A table of the right shape, and with the right sum, that is a pickle."""
    objects = np.full((6, 3), None)
    objects[0, 0] = Trap(path.with_name("sprung"))
    np.save(path, objects, allow_pickle=True)
    facts = {**FACTS, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(facts))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no facts": (lambda p: p.with_suffix(".json").unlink(), "val was not evaluated yet"),
    "cut facts": (lambda p: cut(p.with_suffix(".json")), "its table is damaged"),
    "no numbers": (lambda p: p.unlink(), "cannot be read (No such file or directory)"),
    "cut numbers": (cut, "is damaged: its SHA-256"),
    "empty": (lambda p: p.write_bytes(b""), "is damaged: its SHA-256"),
    "other data": (lambda p: write_predictions(p, LOG_PROBS, OTHER_DATA), "is of other data"),
    "other weights": (lambda p: write_predictions(p, LOG_PROBS, RETRAINED), "is of other weights"),
    "bare facts": (lambda p: write_predictions(p, LOG_PROBS, {}), "is of other data"),
    "fewer rows": (
        lambda p: write_predictions(p, LOG_PROBS[:5], FACTS),
        "5 rows, not one per image",
    ),
    "fewer classes": (lambda p: write_predictions(p, LOG_PROBS[:, :2], FACTS), ".npy"),
    "objects": (write_objects, ".npy"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told_with_what_to_do(tmp_path: Path, name: str) -> None:
    path, (damage, told) = written(tmp_path), DAMAGES[name]
    damage(path)
    with pytest.raises(CheckpointError) as caught:
        read_predictions(path, examples(), CHECKPOINT)
    assert str(caught.value).startswith("best-0000003-val")
    assert told in str(caught.value)
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
def test_a_write_that_fails_leaves_no_half_table(
    tmp_path: Path, blocked: str, before: bool
) -> None:
    path = written(tmp_path) if before else predictions_path(tmp_path, "best-0000003", "val")
    path.with_suffix(blocked).unlink(missing_ok=True)
    path.with_suffix(blocked).mkdir(parents=True)  # what cannot be replaced by a file
    with pytest.raises(OSError, match="directory"):
        write_predictions(path, LOG_PROBS + 1, FACTS)
    assert not list(path.parent.glob(".*"))
    assert before or not has_predictions(path)
    with pytest.raises(CheckpointError):
        read_predictions(path, examples(), CHECKPOINT)
