"""How measurements are made and shown: in turns, median and spread, the ratio, the machine."""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cifar_core.places import repository

REPEATS, QUICK_REPEATS = 5, 2


class Unequal(Exception):
    """Ours and the peer's result differ; a comparison of times would mean nothing."""


@dataclass(frozen=True)
class Bar:
    """What is aimed at; what is None is not asked for."""

    min_ratio: float | None = None
    max_s: float | None = None

    def __str__(self) -> str:
        """ ">= 3x"."""
        ratio = "" if self.min_ratio is None else f">= {self.min_ratio:g}x"
        seconds = "" if self.max_s is None else f"<= {self.max_s:g} s"
        return " and ".join(filter(None, (ratio, seconds)))


@dataclass(frozen=True)
class Measured:
    """One line of the table.

    Attributes:
        what: What was done, with its size.
        peer: What it is compared with.
        checked: How the results were compared before, and what came out.
        ours_s: Seconds of each repetition; so is `peer_s`.
    """

    what: str
    peer: str
    checked: str
    ours_s: tuple[float, ...]
    peer_s: tuple[float, ...]
    bar: Bar

    @property
    def ratio(self) -> float:
        """How many times longer the peer takes; of the medians."""
        return statistics.median(self.peer_s) / statistics.median(self.ours_s)

    @property
    def reached(self) -> bool:
        """Whether the medians meet the bar."""
        fast = self.bar.max_s is None or statistics.median(self.ours_s) <= self.bar.max_s
        return fast and (self.bar.min_ratio is None or self.ratio >= self.bar.min_ratio)


def interleave(
    ours: Callable[[], object], peer: Callable[[], object], quick: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds of each, in turns, so that what else the machine does meets both alike.

    The comparison of results, which comes first, has warmed up both.
    """
    ours_s: list[float] = []
    peer_s: list[float] = []
    for _ in range(QUICK_REPEATS if quick else REPEATS):
        for do, times in ((ours, ours_s), (peer, peer_s)):
            started = time.perf_counter()
            do()
            times.append(time.perf_counter() - started)
    return tuple(ours_s), tuple(peer_s)


def spread(seconds: Sequence[float]) -> str:
    """ "0.19 s (0.18 to 0.22)": the median and the extremes."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def table(lines: Sequence[Measured], quick: bool = False) -> str:
    """The lines as a Markdown table, then what was compared before each was timed."""
    what = "what (quick: fewer images and repetitions)" if quick else "what"
    rows = [f"| {what} | ours | peer | ratio | bar | reached |", f"|{' --- |' * 6}"]
    for line in lines:
        times = f"{spread(line.ours_s)} | {line.peer}: {spread(line.peer_s)} | {line.ratio:.1f}x"
        rows.append(f"| {line.what} | {times} | {line.bar} | {'yes' if line.reached else 'no'} |")
    return "\n".join([*rows, "", *(f"{line.what}: {line.checked}." for line in lines)])


def figures(line: Measured) -> dict[str, Any]:
    """All that the table says of a line, and each repetition, for JSON."""
    medians = {
        "ours_s_median": statistics.median(line.ours_s),
        "peer_s_median": statistics.median(line.peer_s),
    }
    return {**asdict(line), **medians, "ratio": line.ratio, "reached": line.reached}


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
        "busy before": f"{psutil.cpu_percent(0.5):.0f} %",
    }


def _cpu_name() -> str:
    facts = Path("/proc/cpuinfo")  # of Linux; elsewhere Python knows
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str:
    """The commit that lies here, marked where files differ from it; empty where there is none."""
    # Without its optional locks git only reads.
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty=, changed"]
    try:
        done = subprocess.run(
            command, cwd=repository(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
