"""Step records in columns: they behave as the records they were made from."""

from pathlib import Path

import pytest

from cifar_core.records.records import Metrics, ResumeRecord, read_metrics, to_line
from cifar_core.records.steps import NAMES, StepRecord, Steps

RECORDS = [
    StepRecord(1 + n // 4, n + 1, 0.1 + 0.2 * n, n / 7, 1e-300 * n, 1e6 / (n + 1), n / 3)
    for n in range(9)
]
STEPS = Steps(RECORDS)


def test_they_are_the_records_they_were_made_from() -> None:
    assert list(STEPS) == RECORDS
    assert len(STEPS) == len(RECORDS)
    assert STEPS[-1] == RECORDS[-1]
    assert type(STEPS[0].step) is int
    assert type(STEPS[0].loss) is float
    for cut in (slice(2, 5), slice(-3, None), slice(None, 0), slice(None, None, 2)):
        assert list(STEPS[cut]) == RECORDS[cut]
    for name in NAMES:
        assert STEPS.column(name).tolist() == [getattr(record, name) for record in RECORDS]
    assert RECORDS[3] in STEPS
    assert repr(STEPS[:1]) == f"Steps([{RECORDS[0]!r}])"


def test_nothing_is_a_sequence_too() -> None:
    none = Steps()
    assert (len(none), list(none), bool(none)) == (0, [], False)
    assert none == Steps([]) != STEPS
    assert none.column("loss").shape == (0,)
    with pytest.raises(IndexError):
        none[0]


def test_they_grow_and_are_cut_without_changing() -> None:
    first, rows = STEPS[:4], [[getattr(record, name) for name in NAMES] for record in RECORDS[4:]]
    assert first.extended(rows) == STEPS
    assert first.extended([]) is first
    assert list(STEPS.until(5)) == RECORDS[:5]
    assert len(first) == 4
    assert list(STEPS) == RECORDS


def test_a_resume_takes_back_the_steps_after_it_however_the_file_is_read(tmp_path: Path) -> None:
    written = [*RECORDS[:6], ResumeRecord(1, 4), *RECORDS[4:7], ResumeRecord(1, 5), RECORDS[5]]
    lines = [to_line(record) for record in written]
    path = tmp_path / "metrics.jsonl"
    known = Metrics()
    for number in range(len(lines)):
        path.write_bytes(b"".join(lines[: number + 1]))
        known = read_metrics(path, known)
        assert known == read_metrics(path)
    assert list(known.steps) == RECORDS[:6]
    assert [resume.step for resume in known.resumes] == [4, 5]


def test_a_step_that_is_no_number_is_a_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    good = to_line(RECORDS[0])
    path.write_bytes(good + good.replace(b'"loss": 0.1', b'"loss": "low"') + to_line(RECORDS[1]))
    found = read_metrics(path)
    assert (list(found.steps), found.damaged) == (RECORDS[:2], 1)


def test_reading_what_has_not_changed_gives_the_same_object(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(to_line(RECORDS[0]) + b'{"kind": "step", "unfin')
    known = read_metrics(path)
    assert read_metrics(path, known) is known
