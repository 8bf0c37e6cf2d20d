"""The list of 1,000 runs, first and then again; no peer is asked."""

import tempfile
from pathlib import Path

from benchmarks.app_server import Viewer, serving
from benchmarks.fake_runs import copy_run, store_run
from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured, Unequal

NUM_RUNS, QUICK_RUNS, NUM_STEPS = 1000, 100, 400


def measure(quick: bool) -> list[Measured]:
    """The page Runs, on a server that has not listed them, and then again and again."""
    num_runs = QUICK_RUNS if quick else NUM_RUNS
    with tempfile.TemporaryDirectory() as text:
        folder, checked = Path(text), ""
        first_s, again_s = list[float](), list[float]()
        original = store_run(folder / "runs", NUM_STEPS, "run 0")
        for number in range(1, num_runs):
            copy_run(original, number)
        for _ in range(QUICK_REPEATS if quick else REPEATS):
            with serving(folder, warm=True) as port:
                viewer = Viewer(port)
                viewer.open("models")  # what all pages import is not what is measured
                first_s.append(viewer.open("runs"))
                checked = check(viewer, num_runs)
                again_s += [viewer.open() for _ in range(4)]
    return [
        Measured(f"{num_runs:,} runs listed first", "", checked, tuple(first_s), (), Bar(max_s=1)),
        Measured("the same again", "", checked, tuple(again_s), (), Bar(max_s=0.1)),
    ]


def check(viewer: Viewer, num_runs: int) -> str:
    """How many rows the table has that came to the browser.

    Raises:
        Unequal: if a run is missing.
    """
    import pyarrow as pa

    tables = [
        pa.ipc.open_stream(element.dataframe.arrow_data.data).read_all()
        for element in viewer.elements
        if element.WhichOneof("type") == "dataframe"
    ]
    rows = max((len(table) for table in tables), default=0)
    if rows != num_runs:
        raise Unequal(f"the table has {rows:,} rows of {num_runs:,}")
    return f"all {num_runs:,} are in the table"
