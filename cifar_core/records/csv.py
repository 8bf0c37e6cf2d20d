"""Records as a table that other programs read, and texts as its cells."""

import csv
import io
from dataclasses import asdict, fields

from cifar_core.records.records import EpochRecord, Metrics, StepRecord


def records_csv(metrics: Metrics) -> str:
    """All steps and epochs in the order of the steps, one line each; empty where one has none."""
    names = list(dict.fromkeys(f.name for kind in (StepRecord, EpochRecord) for f in fields(kind)))
    text = io.StringIO()
    table = csv.DictWriter(text, ["kind", *names], lineterminator="\n")
    table.writeheader()
    for record in sorted(
        (*metrics.steps, *metrics.epochs), key=lambda r: (r.step, r.kind != "step")
    ):
        table.writerow({"kind": record.kind, **asdict(record)})
    return text.getvalue()


def cell(text: str) -> str:
    """A text that spreadsheets show and do not compute.

    Source: OWASP, "CSV Injection": what begins like a formula gets an apostrophe before it.
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
