"""The first paint of the app in Chromium: beside the same app with every import at its top."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app_server import ENTRY, serving
from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured
from cifar_core.system.paths import repository

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HEAVY = (
    "torch",
    "torchvision",
    "albumentations",
    "pytorch_grad_cam",
    "torch_lr_finder",
    "plotly.graph_objects",
)
PAGES = {"Home": ("", "CIFAR-10 Lab"), "Train": ("train", "Train")}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def measure(quick: bool) -> list[Measured]:
    """Seconds from the address to the page's heading, in a new browser on a new server."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as text, sync_playwright() as playwright:
        folder = Path(text)
        eager = import_all_first(folder / "eager")
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        lines = []
        for name in PAGES:
            apps = (repository() / ENTRY, eager)
            times = [list[float](), list[float]()]
            for _ in range(QUICK_REPEATS if quick else REPEATS):
                for app, mine in zip(apps, times, strict=True):
                    mine.append(_painted(browser, folder, app, name))
            ours_s, peer_s = map(tuple, times)
            what, peer = f"first paint of {name} on a fresh server", "all imports at the top"
            lines.append(Measured(what, peer, "the same heading", ours_s, peer_s, Bar(max_s=2)))
        browser.close()
    return lines


def import_all_first(folder: Path) -> Path:
    """A copy of the app that imports what it may ever need before it draws anything."""
    folder.mkdir()
    for part in ("pages", "cifar_core", ".streamlit"):
        shutil.copytree(repository() / part, folder / part)
    app = (repository() / ENTRY).read_text(encoding="utf-8")
    imports = "".join(f"import {name}\n" for name in HEAVY)
    (folder / ENTRY).write_text(f"{imports}\n{app}", encoding="utf-8")
    return folder / ENTRY


def _painted(browser: "Browser", folder: Path, app: Path, name: str) -> float:
    path, heading = PAGES[name]
    with serving(folder, app, PYTHONPATH=str(app.parent)) as port:
        page = browser.new_context().new_page()
        started = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/{path}")
        page.get_by_role("heading", name=heading, exact=True).wait_for(timeout=120_000)
        seconds = time.perf_counter() - started
        page.context.close()
    return seconds
