"""The list of 1,000 runs, first and then again; no peer is asked."""

import tempfile
from pathlib import Path

from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured
from benchmarks.served import Viewer, serving
from benchmarks.stored import store_run

NUM_RUNS, QUICK_RUNS, NUM_STEPS = 1000, 100, 400


def measure(quick: bool) -> list[Measured]:
    """The page Runs, on a server that has not listed them, and then again and again."""
    num_runs = QUICK_RUNS if quick else NUM_RUNS
    with tempfile.TemporaryDirectory() as text:
        folder, first_s, again_s = Path(text), list[float](), list[float]()
        for number in range(num_runs):
            store_run(folder / "runs", NUM_STEPS, f"run {number}")
        for _ in range(QUICK_REPEATS if quick else REPEATS):
            with serving(folder, CIFAR_WARM_UP="0") as port:
                Viewer(port, "models").open()  # its imports are not what is measured
                viewer = Viewer(port, "runs")
                first_s.append(viewer.open())
                again_s += [viewer.open() for _ in range(4)]
    checked = f"all {num_runs:,} are in the table"
    return [
        Measured(f"{num_runs:,} runs listed first", "", checked, tuple(first_s), (), Bar(max_s=1)),
        Measured("the same again", "", checked, tuple(again_s), (), Bar(max_s=0.1)),
    ]
