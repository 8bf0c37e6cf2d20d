"""A live run of 100,000 recorded lines, watched: beside a page that reads and draws all again."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.app_server import Viewer, serving
from benchmarks.fake_runs import SPIKE, alive, step_at, store_run
from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured, Unequal
from cifar_core.records.records import to_line
from cifar_core.records.steps import StepRecord

LONG, SHORT, MOST_POINTS = 100_000, 1000, 2000
NAIVE = Path(__file__).parent / "peers" / "reads_all.py"
PEER = "reads all, draws all (full Plotly figure)"


def measure(quick: bool) -> list[Measured]:
    """The first opening on a server, and then each refresh with a new line.

    Raises:
        Unequal: if a curve has more points than it should, or lost the one spike.
    """
    with tempfile.TemporaryDirectory() as text:
        folder, repeats = Path(text), QUICK_REPEATS if quick else 4 * REPEATS
        lengths = {LONG // 10 if quick else LONG: "long", SHORT: "short"}
        runs = {name: store_run(folder / "runs", steps, name) for steps, name in lengths.items()}
        with alive(runs["long"]), alive(runs["short"]):
            first_s = tuple(_opened(folder, runs["long"]) for _ in range(QUICK_REPEATS + 1))
            with serving(folder, warm=True) as port, serving(folder, NAIVE) as naive:
                viewers = {
                    name: Viewer(port, "train", f"run={run.name}") for name, run in runs.items()
                }
                peer = Viewer(naive, "", f"metrics={runs['long'] / 'metrics.jsonl'}")
                peer_first_s = (peer.open(),)
                for viewer in viewers.values():
                    viewer.open()
                points = check(viewers["long"])
                ours_s, short_s, peer_s = _in_turns(
                    [
                        (viewers["long"].refresh, runs["long"]),
                        (viewers["short"].refresh, runs["short"]),
                        (peer.open, runs["long"]),
                    ],
                    repeats,
                )
    lines = f"{max(lengths):,} lines"
    return [
        Measured(
            f"a run of {lines} opened first on a server",
            PEER,
            points,
            first_s,
            peer_first_s,
            Bar(max_s=1),
        ),
        Measured(f"a refresh of a run of {lines}", PEER, points, ours_s, peer_s, Bar(max_s=0.1)),
        Measured(
            f"a refresh of a run of {SHORT:,} lines: a longer one is no slower",
            f"ours of {lines}",
            "the same page",
            short_s,
            ours_s,
            Bar(max_s=0.1),
        ),
    ]


def _opened(folder: Path, run_dir: Path) -> float:
    """Seconds on a server that has seen neither a page nor the run."""
    with serving(folder, warm=True) as port:
        viewer = Viewer(port)
        viewer.open("models")  # what all pages import is not what is measured
        return viewer.open("train", f"run={run_dir.name}")


def _in_turns(
    actions: list[tuple[Callable[[], float], Path]], repeats: int
) -> list[tuple[float, ...]]:
    """Seconds of each, after a line was added to its run."""
    times: list[list[float]] = [[] for _ in actions]
    for number in range(repeats):
        for (ask, run_dir), mine in zip(actions, times, strict=True):
            with (run_dir / "metrics.jsonl").open("ab") as file:
                file.write(to_line(_later(number)))
            mine.append(ask())
    return [tuple(mine) for mine in times]


def _later(number: int) -> StepRecord:
    return step_at(2 * LONG + number, 0.4)


def check(viewer: Viewer) -> str:
    """How many points the curves have, and that the spike is among them.

    Raises:
        Unequal: if there are too many, or the spike is lost.
    """
    figures = [
        json.loads(element.plotly_chart.spec)
        for element in viewer.elements
        if element.WhichOneof("type") == "plotly_chart"
    ]
    sizes = [values_of(trace["y"]) for figure in figures for trace in figure["data"]]
    most = max(len(values) for values in sizes)
    if most > MOST_POINTS:
        raise Unequal(f"a curve has {most:,} points")
    if SPIKE not in {max(values) for values in sizes}:
        raise Unequal("the spike of a single step is lost")
    return f"at most {most:,} points a curve, a spike of a single step among them"


def values_of(column: object) -> list[float]:
    """Numbers as Plotly writes them, plain or packed."""
    import base64

    import numpy as np

    if isinstance(column, dict):
        packed = base64.b64decode(column["bdata"])
        return np.frombuffer(packed, dtype=column["dtype"]).astype(float).tolist()
    assert isinstance(column, list)
    return column
