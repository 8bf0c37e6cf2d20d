"""Records as CSV: every one, in order, every figure as it was."""

import csv
import io

import pytest

from cifar_core.records.csv import cell, records_csv
from cifar_core.records.records import EpochRecord, Metrics, StepRecord
from cifar_core.records.steps import Steps

EPOCH = EpochRecord(1, 8, 1.5, 0.25, None, None, 1.25, 0.5, 0.1, 100.0, 2.0, 1.0, 3.5)


STEPS = (StepRecord(1, 4, 2.0, 0.125, 0.1, 90.0, 1.0), StepRecord(1, 8, 1.0, 0.375, 0.1, 95.0, 2.0))


def test_every_record_is_a_line_in_the_order_of_the_steps() -> None:
    lines = list(
        csv.DictReader(io.StringIO(records_csv(Metrics(steps=Steps(STEPS), epochs=(EPOCH,)))))
    )
    assert [(line["kind"], line["step"]) for line in lines] == [
        ("step", "4"),
        ("step", "8"),
        ("epoch", "8"),
    ]
    assert [line["loss"] for line in lines] == ["2.0", "1.0", ""]
    assert (lines[2]["test_acc"], lines[2]["val_acc"], lines[2]["elapsed_s"]) == ("0.5", "", "3.5")


def test_without_records_it_is_a_heading() -> None:
    assert records_csv(Metrics()).startswith("kind,epoch,step,loss,acc,lr,images_per_s,elapsed_s,")
    assert records_csv(Metrics()).count("\n") == 1


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_a_text(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "cat", "lr=0.1", "a-b", "1"])
def test_a_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text
