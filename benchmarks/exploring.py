"""Views of what a model says, once it was evaluated: from the click to the new view; no peer."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app_server import serving
from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured
from benchmarks.opening import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTLED_MS = 900
CHANGES = 4  # per repetition
# Seconds from the next event of a kind until what some elements say or show is another.
WATCH = """([kind, seen]) => {
    const roots = () => [document, ...[...document.querySelectorAll('*')]
        .map(e => e.shadowRoot).filter(Boolean)];  // tiles are a component of their own
    const told = () => roots().flatMap(root => [...root.querySelectorAll(seen)]).slice(0, 8)
        .map(e => e.getAttribute('src') || e.textContent).join();
    window.took = new Promise(done => document.addEventListener(kind, () => {
        const [before, started] = [told(), performance.now()];
        const look = () => told() !== before || performance.now() - started > 20000
            ? done((performance.now() - started) / 1000) : requestAnimationFrame(look);
        look();
    }, {capture: true, once: true}));
}"""
METRIC = "[data-testid=stMetricValue]"
CELLS = "[data-testid=stPlotlyChart] .textpoint text"
TILES = ".tiles img"


def measure(quick: bool) -> list[Measured]:
    """The epoch slider, the matrix as shares, the next page of the gallery."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        num_images = _evaluated(Path(folder))
        with serving(Path(folder), warm=True) as port:
            browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
            page = browser.new_context(viewport={"width": 1280, "height": 1200}).new_page()
            url = f"http://127.0.0.1:{port}"
            lines = _lines(page, url, num_images, QUICK_REPEATS if quick else REPEATS)
            browser.close()
    return lines


def _evaluated(folder: Path) -> int:
    """A run of four epochs with its table, on CIFAR-10 if it is there; its number of images."""
    data = "cifar10" if os.environ.get("CIFAR10_DIR") else "shapes10"
    env = {**os.environ, "CIFAR_RUNS": f"{folder}/runs", "CIFAR_CACHE": f"{folder}/cache"}
    train = f"train --data {data} --model convnet --epochs 4 --train-size 5000 --name one"
    for words in (train, "evaluate one"):
        command = [sys.executable, "-m", "cifar_core", *words.split()]
        subprocess.run(command, env=env, check=True, capture_output=True)
    return 10_000 if data == "cifar10" else 2_000


def _lines(page: "Page", url: str, num_images: int, repeats: int) -> list[Measured]:
    from playwright.sync_api import expect

    found = []
    for what, path, seen, most, pair in (
        (
            "the epoch slider moves figures, matrix, curves and lists",
            "evaluation?run=one&view=epochs",
            METRIC,
            0.2,
            ("ArrowLeft", "ArrowRight"),
        ),
        (
            "the matrix as shares or counts",
            "evaluation?run=one",
            CELLS,
            0.2,
            ("Normalize by row",) * 2,
        ),
        (
            "the next page of 48 images of the gallery",
            "gallery?run=one&show=all&sort=loss",
            TILES,
            0.1,
            ("Next page",) * 2,
        ),
    ):
        page.goto(f"{url}/{path}")
        expect(page.locator(seen).first).to_be_visible(timeout=60_000)
        page.wait_for_timeout(5 * SETTLED_MS)
        times = []
        for number in range(-1, repeats * CHANGES):  # the first one is not warm yet
            took = _change(page, pair[number % 2], seen)
            times += [took] if number >= 0 else []
        checked = f"{len(times)} times, another view each time"
        found.append(
            Measured(
                f"{what}, {num_images:,} images", "", checked, tuple(times), (), Bar(max_s=most)
            )
        )
    return found


def _change(page: "Page", action: str, seen: str) -> float:
    """Presses a key of the slider, or clicks what is called like that."""
    key = action.startswith("Arrow")
    page.evaluate(WATCH, ["keydown" if key else "click", seen])
    if key:
        page.get_by_role("slider").press(action)
    elif action == "Next page":
        page.get_by_role("button", name=action).click()
    else:
        page.get_by_text(action).click()
    took = float(page.evaluate("() => window.took"))
    page.wait_for_timeout(SETTLED_MS)
    return took
