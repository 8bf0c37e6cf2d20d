"""python -m benchmarks [--quick] [--json FILE] [NAME ...]: measures, and prints a table."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import evaluate, maps
from benchmarks.frame import Measured, Unequal, figures, machine, table

MEASUREMENTS: dict[str, Callable[[bool], Measured]] = {
    "evaluate": evaluate.measure,
    "maps": maps.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the measurements; returns 1 if results differ, 2 for an unknown name."""
    options = _parser().parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        known = ", ".join(MEASUREMENTS)
        _say(f"There is no measurement {unknown[0]!r}. Available: {known}.")
        return 2
    facts = machine()
    lines: list[Measured] = []
    failed = False
    for name in options.names or MEASUREMENTS:
        _say(f"{name} …")
        try:
            lines.append(MEASUREMENTS[name](options.quick))
        except Unequal as error:
            _say(f"{name} was not timed, since the results are not equal: {error}.")
            failed = True
    sys.stdout.write(f"{table(lines, options.quick)}\n\n")
    sys.stdout.writelines(f"{name}: {fact}\n" for name, fact in facts.items())
    if options.json:
        found = {"quick": options.quick, "machine": facts, "lines": [figures(m) for m in lines]}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ours beside others; prints a table."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="fewer images and repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


def _say(text: str) -> None:
    """Beside the table, which alone goes to the standard output."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
