"""Keeping a record: one line in our file beside TensorBoard's event file."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.frame import Bar, Measured, Unequal, in_turns
from benchmarks.steps import BATCH_SIZE, NUM_STEPS, engine_steps
from cifar_core.records.steps import NAMES, StepRecord

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext

NUM_CALLS, QUICK_CALLS, LIMIT = 2000, 200, 0.005
VALUES = tuple(name for name in NAMES if name not in ("epoch", "step"))


def measure(quick: bool) -> list[Measured]:
    """A record of five figures: a line that outlives a kill at once, beside five buffered scalars.

    Raises:
        Unequal: if what is read back is not what was recorded.
    """
    from torch.utils.tensorboard import SummaryWriter

    num_calls = QUICK_CALLS if quick else NUM_CALLS
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        events = SummaryWriter(str(folder / "events"))
        worker = _worker(folder / "run")
        checked = _check(worker, folder)
        steps, _ = engine_steps("sepnet_v1", NUM_STEPS)
        ours_s, peer_s, step_s = in_turns(
            [_times(num_calls, worker.record), _times(num_calls, _scalars(events)), steps], quick
        )
        events.close()
    per_call = tuple(seconds / num_calls for seconds in ours_s)
    peer_call = tuple(seconds / num_calls for seconds in peer_s)
    step = tuple(seconds / NUM_STEPS for seconds in step_s)
    return [
        Measured(
            "a record of five figures",
            "TensorBoard's SummaryWriter, five scalars",
            checked,
            per_call,
            peer_call,
            Bar(min_ratio=1),
        ),
        Measured(
            f"a record per step of sepnet_v1, batch {BATCH_SIZE}: 0.5% of a step is the target",
            "the step",
            f"{max(per_call) / min(step):.3%} of a step at worst; the engine records less often",
            per_call,
            step,
            Bar(min_ratio=1 / LIMIT),
        ),
    ]


def _worker(run_dir: Path) -> "JobContext":
    from cifar_core.jobs.context import JobContext

    run_dir.mkdir()
    return JobContext(run_dir)


def _times(count: int, record: Callable[[StepRecord], Any]) -> Callable[[], None]:
    def many() -> None:
        for step in range(count):
            record(StepRecord(1, step, 2.3025850929940455, 0.1015625, 0.1, 815.25, 12.5))

    return many


def _scalars(events: Any) -> Callable[[StepRecord], None]:
    def record(record: StepRecord) -> None:
        for name in VALUES:
            events.add_scalar(name, getattr(record, name), record.step)

    return record


def _check(worker: "JobContext", folder: Path) -> str:
    from cifar_core.records.records import read_metrics

    first = StepRecord(1, 7, 0.1 + 0.2, 1e-300, 0.1, 815.25, 12.5)
    worker.record(first)
    found = read_metrics(folder / "run" / "metrics.jsonl").steps
    if list(found) != [first]:
        raise Unequal(f"{json.dumps(list(map(str, found)))} was read back")
    return "what is read back is bit for bit what was recorded; TensorBoard keeps float32"
