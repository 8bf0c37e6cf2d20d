"""The figures that stand in docs/: each measurement with its machine, commit and date."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame import Measured, figures, line_of, table
from cifar_core.system.paths import repository

HEAD = """# Measurements

Made by `python -m benchmarks --keep [NAME ...]`; it also writes every repetition to
[benchmarks.json](benchmarks.json). Ours and the peer run in turns within one process or one
server, results are compared before anything is timed, and what we lose is in the table, too.
Figures are medians with their extremes; ratios above 1 are in our favour.
"""


# Why a bar is missed, and what was tried.
REMARKS = {
    "training": """\
Missed: 2.8x. The bar supposed a textbook loop of 68 images/s; with torch 2.15 it reaches 80 to 95
here, and bf16 at the measured peak would give no more than 3x of that. 86 % of a step are oneDNN's
convolutions (torch.profiler), so the engine is as fast as the bare step. Tried: freed memory kept
in large pages (3 to 5 % quicker, kept), `torch.compile` (no gain on this network, in the table);
the optimizer is 1 % of a step.""",
    "lr_test": """\
Missed: 2.5x. It is the training's limit again: a step is the engine's step, which is 2.1 to 2.4
times a textbook one on these cores (see training), and building the model is in it; the plain
library is at the speed of the textbook loop. What the library adds to a step is small: the test
costs 5 % more than as many steps.""",
    "small_models": """\
The bar is meant for the first way, which is the one a run takes; fp32 alone and the compiled forms
are reported apart. Compiled, `sepnet_v1` is quicker and `sepnet_v2` slower here, so compiling is
off unless somebody asks for it, and the forecast of a run says which of the two it is.""",
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
