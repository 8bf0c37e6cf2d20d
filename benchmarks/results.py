"""The figures that stand in docs/: each measurement with its machine, commit and date."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame import Measured, figures, line_of, table
from cifar_core.system.paths import repository

HEAD = """# Measurements

Written by `python -m benchmarks --keep [NAME ...]`, which also stores every repetition in
[benchmarks.json](benchmarks.json). Ours and the peer alternate within one process or one server,
and results are compared before anything is timed. Comparisons that we lose are in the table, too.
Values are medians with minimum and maximum; a ratio above 1 means that ours is faster.
"""


# Why a bar is missed, and what was tried.
REMARKS = {
    "training": """\
Missed: 2.8x. The target assumed a textbook loop of 68 images/s; with torch 2.15 it reaches 80 to 95
here, and bf16 at the measured peak would give at most 3x of that. oneDNN's convolutions take 86% of
a step (torch.profiler), so the engine is as fast as the bare step. Tried: freed memory kept in
large pages (3 to 5% faster, kept), `torch.compile` (no gain on this network, in the table); the
optimizer takes 1% of a step.""",
    "lr_test": """\
Missed: 2.5x. The limit is that of training: a step is the engine's step, which is 2.1 to 2.4 times
as fast as a textbook step on these cores (see training), and the time includes building the model;
the library alone is as fast as the textbook loop. The library adds little to a step: the test takes
5% longer than the same number of training steps.""",
    "small_models": """\
The target applies to the first row of each model, the settings that a run uses; fp32 and the
compiled variants are listed separately. Compiled, `sepnet_v1` is faster and `sepnet_v2` slower
here, so compiling is off by default, and the forecast of a run says which of the two it is.""",
}


def keep(
    name: str,
    lines: Sequence[Measured],
    facts: dict[str, str],
    quick: bool,
    docs: Path | None = None,
) -> None:
    """Puts the lines in the place of what was measured under this name before."""
    docs = docs or repository() / "docs"
    file = docs / "benchmarks.json"
    known: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    told = [figures(line) for line in lines]
    known[name] = {"quick": quick, "machine": facts, "lines": told}
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (docs / "benchmarks.md").write_text(page(known), encoding="utf-8")


def page(known: dict[str, Any]) -> str:
    """The page of all that was kept."""
    return "\n".join([HEAD, *(_section(name, found) for name, found in known.items())])


def _section(name: str, found: dict[str, Any]) -> str:
    lines = [line_of(raw) for raw in found["lines"]]
    facts = "; ".join(f"{fact}: {value}" for fact, value in found["machine"].items())
    told = [f"## {name}", table(lines, found["quick"]), REMARKS.get(name, ""), f"{facts}.\n"]
    return "\n\n".join(filter(None, told))
