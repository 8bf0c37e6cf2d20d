"""How measurements are made and shown: in turns, median and spread, the ratio, the machine."""

import math
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cifar_core.system.paths import repository

REPEATS, QUICK_REPEATS = 5, 2


class Unequal(Exception):
    """Ours and the peer's result differ; a comparison of times would mean nothing."""


@dataclass(frozen=True)
class Bar:
    """What is aimed at; what is None is not asked for.

    Attributes:
        min_ratio: Of the peer's median to ours.
        max_s: Seconds, of our median.
        max_p95_s: Seconds that 95 of 100 of our repetitions stay below.
        min_share: Of what the machine can do, 0..1.
    """

    min_ratio: float | None = None
    max_s: float | None = None
    max_p95_s: float | None = None
    min_share: float | None = None

    def __str__(self) -> str:
        """ ">= 3x"."""
        parts = [
            "" if self.min_ratio is None else f">= {self.min_ratio:g}x",
            "" if self.max_s is None else f"<= {duration(self.max_s)}",
            "" if self.max_p95_s is None else f"p95 <= {duration(self.max_p95_s)}",
            "" if self.min_share is None else f">= {self.min_share:.0%} of the peak",
        ]
        return " and ".join(filter(None, parts)) or "none"


@dataclass(frozen=True)
class Measured:
    """One line of the table.

    Attributes:
        what: What was done, with its size.
        peer: What it is compared with; empty if with nothing.
        checked: How the results were compared before, and what came out.
        ours_s: Seconds of each repetition; so is `peer_s`.
        num_images: Of a repetition, where the speed is told in images per second.
        share: Of what the machine was measured to be able to do, 0..1; None where there is none.
        limit: What that is.
    """

    what: str
    peer: str
    checked: str
    ours_s: tuple[float, ...]
    peer_s: tuple[float, ...]
    bar: Bar
    num_images: int = 0
    share: float | None = None
    limit: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times longer the peer takes; of the medians."""
        if not self.peer_s:
            return None
        return statistics.median(self.peer_s) / statistics.median(self.ours_s)

    @property
    def reached(self) -> bool:
        """Whether the bar is met."""
        bar, median = self.bar, statistics.median(self.ours_s)
        return (
            (bar.max_s is None or median <= bar.max_s)
            and (bar.max_p95_s is None or percentile(self.ours_s, 0.95) <= bar.max_p95_s)
            and (bar.min_ratio is None or (self.ratio or 0.0) >= bar.min_ratio)
            and (bar.min_share is None or (self.share or 0.0) >= bar.min_share)
        )


def interleave(
    ours: Callable[[], object], peer: Callable[[], object], quick: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds of each, in turns, so that what else the machine does meets both alike.

    The comparison of results, which comes first, has warmed up both.
    """
    ours_s, peer_s = in_turns([ours, peer], quick)
    return ours_s, peer_s


def in_turns(actions: Sequence[Callable[[], object]], quick: bool) -> list[tuple[float, ...]]:
    """Seconds of each repetition of several actions, one after the other and over again."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(QUICK_REPEATS if quick else REPEATS):
        for do, mine in zip(actions, times, strict=True):
            started = time.perf_counter()
            do()
            mine.append(time.perf_counter() - started)
    return [tuple(mine) for mine in times]


def percentile(seconds: Sequence[float], share: float) -> float:
    """The smallest value that so many of them, 0..1, do not exceed."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def duration(seconds: float) -> str:
    """ "1.2 s", "35 ms", "4.1 us"."""
    for unit, factor in (("s", 1), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def spread(seconds: Sequence[float], num_images: int = 0) -> str:
    """ "190 ms (180 to 220)": the median and the extremes; of many the 95th percentile as well."""
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    if num_images:
        rates = f"{num_images / most:,.0f} to {num_images / least:,.0f}"
        return f"{num_images / median:,.0f} images/s ({rates})"
    p95 = f", p95 {duration(percentile(seconds, 0.95))}" if len(seconds) >= 20 else ""
    return f"{duration(median)} ({duration(least)} to {duration(most)}{p95})"


def table(lines: Sequence[Measured], quick: bool = False) -> str:
    """The lines as a Markdown table, then what was compared before each was timed."""
    what = "what (quick: fewer images and repetitions)" if quick else "what"
    rows = [f"| {what} | ours | peer | ratio | target | met |", f"|{' --- |' * 6}"]
    rows += [_row(line) for line in lines]
    return "\n".join([*rows, "", *(f"- {line.what}: {line.checked}." for line in lines)])


def _row(line: Measured) -> str:
    ours = spread(line.ours_s, line.num_images)
    if line.share is not None:
        ours += f"; {line.share:.1%} of {line.limit}"
    peer = f"{line.peer}: {spread(line.peer_s, line.num_images)}" if line.peer_s else "none"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}x"
    met = "yes" if line.reached else "**no**"
    return f"| {line.what} | {ours} | {peer} | {ratio} | {line.bar} | {met} |"


def figures(line: Measured) -> dict[str, Any]:
    """All that the table says of a line, and each repetition, for JSON."""
    medians = {
        "ours_s_median": statistics.median(line.ours_s),
        "peer_s_median": statistics.median(line.peer_s) if line.peer_s else None,
    }
    return {**asdict(line), **medians, "ratio": line.ratio, "reached": line.reached}


def line_of(raw: dict[str, Any]) -> Measured:
    """The line that `figures` told."""
    names = set(Measured.__dataclass_fields__)
    kept = {name: value for name, value in raw.items() if name in names}
    times = {name: tuple(raw[name]) for name in ("ours_s", "peer_s")}
    return Measured(**{**kept, **times, "bar": Bar(**raw["bar"])})


def machine() -> dict[str, str]:
    """What the figures depend on; asked before measuring, so that only others keep it busy."""
    import psutil
    import torch

    cores = f"{psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} logical"
    return {
        "cpu": f"{_cpu_name()}, {cores}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
        "python": platform.python_version(),
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d"),
        "busy before": f"{psutil.cpu_percent(0.5):.0f}%",
    }


def _cpu_name() -> str:
    facts = Path("/proc/cpuinfo")  # of Linux; elsewhere Python knows
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str:
    """The commit that lies here, marked where files differ from it; empty where there is none.

    The figures that were just kept are no such difference.
    """
    # Without its optional locks git only reads.
    git = ["git", "--no-optional-locks"]
    paths = [".", ":(exclude)docs/benchmarks.*"]
    try:
        named = _output([*git, "rev-parse", "--short", "HEAD"])
        changed = _output([*git, "status", "--porcelain", "--", *paths])
    except FileNotFoundError:
        return ""
    return f"{named}, changed" if changed else named


def _output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=repository(), capture_output=True, text=True, check=False)
    return done.stdout.strip()
