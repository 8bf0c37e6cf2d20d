"""A job on the terminal from its start to its end."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import JobError
from cifar_core.records.records import Metrics, read_metrics
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, read_run


@dataclass(frozen=True)
class StatusLine:
    """What there is to say of a job now.

    Attributes:
        share: Done, 0..1.
        text: Beside the bar.
        lines: New since the last time; they stay above the bar.
    """

    share: float
    text: str
    lines: Sequence[str] = ()


def follow(
    run_dir: Path,
    tell: Callable[[Run, Metrics], StatusLine],
    on_stop: str = "finishing the current step",
) -> tuple[Run, Metrics]:
    """Shows a job's progress until it ends; Ctrl-C asks it to stop.

    The job is a process of its own: if this one is killed, it goes on.
    """
    from tqdm import tqdm

    metrics = Metrics()
    bar = tqdm(
        total=1.0,
        bar_format="{percentage:3.0f}%|{bar:20}| {desc}",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
    )
    with _presses() as presses:
        while True:
            run = read_run(run_dir)
            metrics = read_metrics(run_dir / "metrics.jsonl", metrics)
            status_line = tell(run, metrics)
            for line in status_line.lines:
                bar.write(line, file=sys.stderr)
            bar.n = status_line.share
            bar.set_description_str(status_line.text)
            if not run.state.is_active:
                bar.close()
                return run, metrics
            if presses:
                presses.clear()
                request_stop(run)
                bar.write(f"Stopping: {on_stop}.", file=sys.stderr)
            time.sleep(0.3)


@contextlib.contextmanager
def _presses() -> Iterator[list[int]]:
    """Filled by Ctrl-C instead of an exception, which is lost if it meets a `__del__`."""
    presses: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: presses.append(number))
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


def follow_stages(run_dir: Path) -> Run:
    """Follows a job that does not train.

    Raises:
        JobError: if it did not complete; with its reason.
    """

    def tell(run: Run, metrics: Metrics) -> StatusLine:
        if not metrics.stages:
            return StatusLine(0.0, f"{run.state}")
        at = metrics.stages[-1]
        share = at.done / at.total if at.total else 0.0
        return StatusLine(share, f"{at.stage}: {at.done:,} {at.unit}")

    run, _ = follow(run_dir, tell)
    if run.state is not RunState.COMPLETED:
        raise JobError(run.reason or f"The job is {run.state}.")
    return run
