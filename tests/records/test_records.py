"""Records of a run: there and back, half-written and damaged lines, best epoch."""

from pathlib import Path
from typing import Any

import pytest

from cifar_core.records.records import (
    EpochRecord,
    EvalProgress,
    Metrics,
    StageRecord,
    StepRecord,
    read_metrics,
    to_line,
)


def step_at(step: int, **changes: Any) -> StepRecord:
    values = {"epoch": 1, "loss": 2.25, "acc": 0.125, "lr": 0.1, "images_per_s": 1000.0}
    return StepRecord(**{**values, "step": step, **changes})


def epoch_at(epoch: int, val_acc: float | None = 0.5, **changes: Any) -> EpochRecord:
    values = {"step": 10 * epoch, "train_loss": 1 / 3, "train_acc": 0.4, "lr": 0.1}
    judged = {"val_loss": None if val_acc is None else 1.5, "val_acc": val_acc}
    test = {"test_loss": 1.6, "test_acc": 0.45}
    return EpochRecord(**{"epoch": epoch, **values, **judged, **test, **changes})


RECORDS = (
    StageRecord("downloading", 5, None, "B"),
    step_at(3),
    step_at(7, loss=1e-300),
    epoch_at(1),
    step_at(13, lr=0.1 + 0.2),
    epoch_at(2, val_acc=None),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"".join(to_line(record) for record in RECORDS))
    return path


def by_kind(kind: type[Any]) -> tuple[Any, ...]:
    return tuple(record for record in RECORDS if isinstance(record, kind))


def test_records_come_back_as_they_were(file: Path) -> None:
    metrics = read_metrics(file)
    assert tuple(metrics.steps) == by_kind(StepRecord)
    assert metrics.epochs == by_kind(EpochRecord)
    assert metrics.stages == by_kind(StageRecord)
    assert (metrics.offset, metrics.damaged) == (file.stat().st_size, 0)


@pytest.mark.parametrize("record", [*RECORDS, EvalProgress("val", 1, 2)])
def test_a_record_is_one_line(record: Any) -> None:
    line = to_line(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "missing.jsonl") == Metrics()


def test_a_half_written_last_line_waits_until_it_is_complete(file: Path) -> None:
    whole, line = read_metrics(file), to_line(epoch_at(3))
    for place in range(len(line)):
        assert read_metrics(file) == whole
        with file.open("ab") as stream:
            stream.write(line[place : place + 1])
    found = read_metrics(file)
    assert found.epochs == (*whole.epochs, epoch_at(3))
    assert found.damaged == 0


def test_reading_bit_by_bit_equals_reading_whole(file: Path, tmp_path: Path) -> None:
    content, growing = file.read_bytes(), tmp_path / "growing.jsonl"
    known = read_metrics(growing)
    for end in range(0, len(content) + 1, 7):
        growing.write_bytes(content[:end])
        known = read_metrics(growing, known)
        assert known == read_metrics(growing)
    growing.write_bytes(content)
    assert read_metrics(growing, known) == read_metrics(file)


def test_reading_on_where_nothing_came_changes_nothing(file: Path) -> None:
    known = read_metrics(file)
    assert read_metrics(file, known) == known


DAMAGED = {
    "torn": b'{"kind": "epoch", "ep\n',
    "zeros": bytes(20) + b"\n",
    "no JSON": b"Traceback\n",
    "no object": b"[1]\n",
    "null": b"null\n",
    "without kind": b'{"epoch": 1}\n',
    "unknown kind": b'{"kind": "other"}\n',
    "a list as kind": b'{"kind": []}\n',
    "without its figures": b'{"kind": "step", "epoch": 1}\n',
    "not UTF-8": b'{"kind": "\xff"}\n',
    "shown, never stored": to_line(EvalProgress("val", 1, 2)),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_in_the_middle_is_counted_and_passed_over(
    file: Path, damaged: bytes
) -> None:
    content = file.read_bytes()
    middle = content.index(b"\n") + 1
    file.write_bytes(content[:middle] + damaged + content[middle:])
    metrics = read_metrics(file)
    assert metrics.damaged == 1
    assert (tuple(metrics.steps), metrics.epochs) == (by_kind(StepRecord), by_kind(EpochRecord))
    once, twice = metrics.offset, read_metrics(file, metrics)
    assert (twice.offset, twice.damaged) == (once, 1)


def test_a_key_of_a_later_version_is_passed_over(file: Path) -> None:
    line = to_line(epoch_at(3)).replace(b'{"kind"', b'{"of_tomorrow": [1], "kind"')
    with file.open("ab") as stream:
        stream.write(line)
    metrics = read_metrics(file)
    assert metrics.epochs[-1] == epoch_at(3)
    assert metrics.damaged == 0


def test_a_line_of_an_earlier_version_takes_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    line = to_line(epoch_at(1))
    file.write_bytes(line[: line.index(b', "images_per_s"')] + b"}\n")
    (found,) = read_metrics(file).epochs
    assert (found.images_per_s, found.train_s, found.eval_s) == (0, 0, 0)


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.5, 0.7, 0.6], 2),
        ([0.7, 0.7, 0.7], 1),
        ([0.5, 0.8, 0.8], 2),
        ([None, 0.0, None], 2),
        ([None, None], None),
        ([], None),
    ],
)
def test_best_is_the_highest_validation_accuracy_the_earliest_on_ties(
    accuracies: list[float | None], expected: int | None
) -> None:
    epochs = tuple(epoch_at(number, acc) for number, acc in enumerate(accuracies, start=1))
    best = Metrics(epochs=epochs).best
    assert (best.epoch if best else None) == expected
