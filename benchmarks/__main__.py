"""python -m benchmarks [--quick] [--keep] [NAME ...]: measures, and prints a table."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from benchmarks import results
from benchmarks.frame import Measured, Unequal, machine, table

NAMES = (
    "training",
    "small_models",
    "lr_test",
    "augmenting",
    "recording",
    "live_refresh",
    "listing",
    "opening",
    "concurrent_viewers",
    "redrawing",
    "exploring",
    "evaluate",
    "maps",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the measurements; returns 1 if results differ, 2 for an unknown name."""
    options = _parser().parse_args(arguments)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        _say(f"There is no measurement {unknown[0]!r}. Available: {', '.join(NAMES)}.")
        return 2
    facts = machine()
    shown: list[Measured] = []
    failed = False
    for name in options.names or NAMES:
        _say(f"{name} …")
        try:
            lines = measure(name, options.quick)
        except Unequal as error:
            _say(f"{name} was not timed, since the results are not equal: {error}.")
            failed = True
            continue
        shown += lines
        if options.keep:
            results.keep(name, lines, facts, options.quick)
    sys.stdout.write(f"{table(shown, options.quick)}\n\n")
    sys.stdout.writelines(f"{name}: {fact}\n" for name, fact in facts.items())
    return int(failed)


def measure(name: str, quick: bool) -> list[Measured]:
    """The lines of one measurement, which is the module of that name."""
    return importlib.import_module(f"benchmarks.{name}").measure(quick)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ours beside others; prints a table."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer images and repetitions")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="write the figures to docs/benchmarks.json and the table to docs/benchmarks.md",
    )
    return parser


def _say(text: str) -> None:
    """Beside the table, which alone goes to the standard output."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
