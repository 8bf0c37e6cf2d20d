"""A live run with many viewers, on a machine whose cores all train."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.app_server import Viewer, serving
from benchmarks.frame import Bar, Measured

CROWD, FEW = 50, 4
WINDOW_S, QUICK_WINDOW_S, ROUNDS, QUICK_ROUNDS = 20.0, 6.0, 5, 1
INSIDE = Path(__file__).parent / "peers" / "trains_inside.py"
PAGES = ("", "train", "runs", "models", "evaluation")


def measure(quick: bool) -> list[Measured]:
    """Refreshes of 50 viewers; single pages while training; training with and without viewers."""
    window_s, rounds = (QUICK_WINDOW_S, QUICK_ROUNDS) if quick else (WINDOW_S, ROUNDS)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        run_dir = start_training(folder / "runs")
        try:
            with serving(folder, warm=True) as port:
                query = f"run={run_dir.name}"
                _wait_until_running(port, query)
                pages_s = [seconds for _ in range(4 * rounds) for seconds in _each_page(port)]
                crowd_s = watch(port, query, CROWD, window_s * rounds)
                alone, watched = _slowdown(run_dir, port, query, window_s, rounds)
        finally:
            stop(run_dir)
        with serving(folder, INSIDE) as port:
            inside_s = watch(port, "", FEW, window_s)  # so many could not even connect in 10 s
            inside_page_s = [Viewer(port).open() for _ in range(4 * rounds)]
    return [
        Measured(
            f"a refresh, {CROWD} viewers each 2 s (curves 3 s), resnet18 training",
            f"a page that trains in a thread of the server, {FEW} viewers",
            f"{len(crowd_s):,} refreshes, none failed",
            tuple(crowd_s),
            tuple(inside_s),
            Bar(max_p95_s=0.5),
        ),
        Measured(
            "any page, while training uses all cores",
            "a page that trains in a thread of the server",
            f"{', '.join(page or 'home' for page in PAGES)}",
            tuple(pages_s),
            tuple(inside_page_s),
            Bar(max_p95_s=0.3),
        ),
        Measured(
            f"an image trained on with {FEW} viewers: less than 5% slower is the target",
            "without viewers, in turns",
            f"resnet18, windows of {window_s:g} s",
            watched,
            alone,
            Bar(min_ratio=0.95),
        ),
    ]


def start_training(root: Path) -> Path:
    """A real training that lasts longer than anybody watches."""
    command = "--data shapes10 --model resnet18 --epochs 200 --val-size 0 --name watched --detach"
    subprocess.run(
        [sys.executable, "-m", "cifar_core", "train", *command.split()],
        env={**os.environ, "CIFAR_RUNS": str(root), "CIFAR_CACHE": str(root.parent / "cache")},
        check=True,
        capture_output=True,
    )
    (run_dir,) = (path.parent for path in root.glob("*/request.json"))
    return run_dir


def stop(run_dir: Path) -> None:
    """Ends the training at once."""
    from cifar_core.runs.store import read_run
    from cifar_core.system.process_identity import find_process

    if process := find_process(read_run(run_dir).status.worker):
        process.kill()
        process.wait(30)


def _wait_until_running(port: int, query: str) -> None:
    viewer = Viewer(port, "train", query)
    viewer.open()
    until = time.monotonic() + 120
    while not any(e.WhichOneof("type") == "plotly_chart" for e in viewer.elements):
        assert time.monotonic() < until, "the training did not begin"
        time.sleep(1)
        viewer.refresh()
    viewer.close()


def _each_page(port: int) -> list[float]:
    """Seconds of each page in a session of its own."""
    viewer, times = Viewer(port), list[float]()
    viewer.open()
    for page in PAGES:
        times.append(viewer.open(page))
    viewer.close()
    return times


def watch(port: int, query: str, count: int, window_s: float) -> list[float]:
    """Seconds of all refreshes of several viewers, who came one after the other."""
    times: list[float] = []
    failures: list[Exception] = []
    until = time.monotonic() + window_s + count * 0.2

    def look(number: int) -> None:
        try:
            time.sleep(number * 0.2)
            viewer = Viewer(port, "train" if query else "", query)
            viewer.open()
            times.extend(_as_a_browser(viewer, until))
            viewer.close()
        except Exception as error:  # noqa: BLE001 # raised again by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return times


def _as_a_browser(viewer: Viewer, until: float) -> list[float]:
    """Seconds of each refresh, every part by its own timer."""
    times, due = list[float](), dict.fromkeys(viewer.fragments, time.monotonic())
    while (now := time.monotonic()) < until:
        part = min(due, key=lambda name: due[name])
        time.sleep(max(0.0, due[part] - now))
        times.append(viewer.refresh(part))
        due[part] = max(due[part] + viewer.fragments[part], time.monotonic())
    return times


def _slowdown(
    run_dir: Path, port: int, query: str, window_s: float, rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds per image without and with viewers, in turns."""
    alone, watched = [], []
    for _ in range(rounds):
        alone.append(_per_image(run_dir, lambda: time.sleep(window_s)))
        watched.append(_per_image(run_dir, lambda: watch(port, query, FEW, window_s)))
    return tuple(alone), tuple(watched)


def _per_image(run_dir: Path, do: Callable[[], object]) -> float:
    from cifar_core.records.records import read_metrics

    known = read_metrics(run_dir / "metrics.jsonl")
    started = time.perf_counter()
    do()
    later = read_metrics(run_dir / "metrics.jsonl", known)
    steps = later.steps[-1].step - known.steps[-1].step
    assert steps > 0, f"no step in {time.perf_counter() - started:.0f} s"
    spent = later.steps[-1].elapsed_s - known.steps[-1].elapsed_s
    return spent / (steps * 128)
