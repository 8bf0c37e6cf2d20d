"""docs/reliability.md, written from the counts of full sessions.

`python -m tests.reliability.report FILE…` writes it.
"""

import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import psutil

REPORT = "docs/reliability.md"
HEAD = """# Reliability

Every line is a real fault: signals to real processes, full disks, damaged files. `make test` tries
a few of each, `make test-slow` all of them; the latter writes this page. *Plain* workers run the
app's own worker, jobs and store with an engine that only counts, so that hundreds can be killed
within minutes; *torch* workers really train.

| | fault, and what must hold | passed | seconds |
| --- | --- | ---: | ---: |
"""
TAIL = """`make test-slow` runs plain and torch workers at the same time, in a session each.
Not tested: a GPU, a sudden loss of power.
"""


@dataclass(frozen=True)
class Count:
    """One line of the report.

    Attributes:
        requirement: Such as "R7"; one guarantee may have several lines.
        what: The fault, and what must hold.
        good: How often it passed, of `of` times.
    """

    requirement: str
    what: str
    good: int
    of: int
    took_s: float


class Tally:
    """The counts of one test.

    Attributes:
        full: Whether to try all repetitions, not only a few.
    """

    def __init__(self, full: bool, out: list[Count]) -> None:
        self.full, self.out = full, out
        self.started = time.monotonic()

    def times(self, few: int, full: int) -> int:
        """How often to provoke the fault."""
        return full if self.full else few

    def note(self, requirement: str, what: str, good: int, of: int) -> None:
        """Records how often it passed; the test fails unless it always did."""
        took_s = time.monotonic() - self.started
        self.out.append(Count(requirement, what, good, of, took_s))
        assert good == of, f"{what}: {good} of {of}"


def write_counts(path: Path, counts: list[Count]) -> None:
    """Writes the counts of one session, and where it ran; the page is made from several."""
    session = {"where": _circumstances(), "counts": [asdict(count) for count in counts]}
    path.write_text(json.dumps(session), encoding="utf-8")


def write_report(path: Path, files: list[Path]) -> None:
    """Writes the page from the files of some sessions; counts with failures are in bold."""
    sessions = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    counts = [Count(**count) for session in sessions.values() for count in session["counts"]]
    lines = []
    ordered = sorted(counts, key=lambda c: (int(c.requirement.strip("R")), c.what))
    for requirement, group in groupby(ordered, key=lambda c: c.requirement):
        for number, count in enumerate(group):
            figure = f"{count.good:,} of {count.of:,}"
            figure = figure if count.good == count.of else f"**{figure}**"
            label = requirement if number == 0 else ""
            lines.append(f"| {label} | {count.what} | {figure} | {count.took_s:.0f} |")
    lines += ["", TAIL, *(f"- {name}: {session['where']}" for name, session in sessions.items())]
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _circumstances() -> str:
    memory = psutil.virtual_memory().total / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}; "
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, torch {version('torch')}"
    )


if __name__ == "__main__":
    write_report(Path(REPORT), [Path(file) for file in sys.argv[1:]])
