"""Records of a run: there and back, half-written and damaged lines, best epoch, pace."""

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
from cifar_core.records.steps import Steps
from cifar_core.runs.pace import Pace, pace


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


def test_pace_before_the_first_figures_is_unknown() -> None:
    assert pace(Metrics(), 10, 100, 32) == Pace(0, 0.0, None, None)
    assert pace(Metrics(steps=Steps((step_at(3),))), 10, 0, 32) == Pace()


def test_pace_in_the_first_epoch_equals_the_hand_figures() -> None:
    metrics = Metrics(
        steps=Steps((step_at(10, images_per_s=100.0), step_at(30, images_per_s=300.0)))
    )
    # 4 epochs of 50 steps of 20 images: 170 of 200 steps left, 200 images a second on average.
    assert pace(metrics, 4, 50, 20) == Pace(1, 30 / 200, 200.0, 170 * 20 / 200)


def test_pace_counts_the_evaluations_still_to_come() -> None:
    metrics = Metrics(
        steps=Steps((step_at(75, images_per_s=250.0),)),
        epochs=(epoch_at(1, step=50, eval_s=3.0),),
    )
    # 125 steps of 20 images at 250 a second, and three evaluations of three seconds.
    assert pace(metrics, 4, 50, 20) == Pace(2, 75 / 200, 250.0, 10.0 + 9.0)


def test_pace_looks_at_the_last_twenty_records() -> None:
    slow = [step_at(n, images_per_s=1.0) for n in range(1, 31)]
    fast = [step_at(n, images_per_s=400.0) for n in range(31, 51)]
    found = pace(Metrics(steps=Steps((*slow, *fast))), 1, 50, 20)
    assert (found.images_per_s, found.left_s) == (400.0, 0.0)


def test_records_beyond_the_end_are_the_end() -> None:
    found = pace(Metrics(steps=Steps((step_at(51), step_at(1051)))), 1, 50, 20)
    assert (found.share, found.left_s) == (1.0, 0.0)


def test_until_there_are_enough_records_the_forecast_stands_in_for_the_rest() -> None:
    steps = [step_at(n, images_per_s=100.0) for n in range(1, 31)]
    for count, speed in ((5, (5 * 100 + 15 * 300) / 20), (20, 100.0), (30, 100.0)):
        found = pace(Metrics(steps=Steps(steps[:count])), 1, 50, 20, expected=300.0)
        assert found.left_s == pytest.approx((50 - count) * 20 / speed)
        assert found.images_per_s == 100.0, "what is shown was measured"


def test_pace_of_epochs_too_short_for_a_step_record_comes_from_the_epochs() -> None:
    metrics = Metrics(epochs=(epoch_at(1, step=5, images_per_s=50.0, eval_s=1.0),))
    assert pace(metrics, 3, 5, 10) == Pace(1, 5 / 15, 50.0, 10 * 10 / 50 + 2 * 1.0)


@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (49, 1), (50, 1), (51, 2), (200, 4)])
def test_pace_names_the_epoch_under_way(step: int, epoch: int) -> None:
    assert pace(Metrics(steps=Steps((step_at(step),))), 4, 50, 20).epoch == epoch


def test_pace_of_a_finished_run_has_nothing_left() -> None:
    metrics = Metrics(
        steps=Steps((step_at(99),)), epochs=(epoch_at(1, step=50), epoch_at(2, step=100))
    )
    found = pace(metrics, 2, 50, 20)
    assert (found.epoch, found.share, found.left_s) == (2, 1.0, 0.0)


def test_pace_without_a_speed_knows_no_time_left() -> None:
    # An epoch resumed after its last step trains nothing more: no images a second.
    metrics = Metrics(epochs=(epoch_at(1, step=5, images_per_s=0.0),))
    found = pace(metrics, 3, 5, 10)
    assert (found.epoch, found.share, found.left_s) == (1, 5 / 15, None)


def test_time_left_goes_on_while_an_epoch_is_evaluated() -> None:
    """There are no records then."""
    metrics = Metrics(steps=Steps((step_at(50, images_per_s=100.0),)))
    before = pace(metrics, 2, 50, 20, eval_s=4.0)
    assert before.left_s == 50 * 20 / 100 + 2 * 4 == 18
    assert pace(metrics, 2, 50, 20, eval_s=4.0, since_s=3.0).left_s == 15
    assert pace(metrics, 2, 50, 20, eval_s=4.0, since_s=1e6).left_s == 0.0
