"""What a new user waits for, in Chromium and with no data: Home, a first map, an own error's map.

Nothing is compared with: no public app shows these. The bars are seconds.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app_server import serving
from benchmarks.frame import QUICK_REPEATS, Bar, Measured
from benchmarks.opening import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

UP_S = 30.0  # how long a server has been up when it is called warm
LIMIT_MS = 600_000
REPEATS = 3  # a training is one of the actions
# Home: the cells of the matrix, and three errors with image and two maps.
HOME = """() => document.querySelectorAll('.js-plotly-plot .shapelayer path').length >= 100
    && [...document.querySelectorAll('figure img')].filter(i => i.complete).length >= 9"""
MAPS = "() => [...document.querySelectorAll('figure img')].filter(i => i.complete).length >= 3"


def measure(quick: bool) -> list[Measured]:
    """Seconds from the address, or from the first click, to what is asked for."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as text, sync_playwright() as playwright:
        folder = Path(text)
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))

        def times(do: "Callable[[Browser, int], float]", up_s: float = 0.0) -> tuple[float, ...]:
            return tuple(
                _on_new_server(folder / f"{do.__name__}-{n}", browser, do, up_s)
                for n in range(QUICK_REPEATS if quick else REPEATS)
            )

        lines = [
            _line("Home with matrix and maps, cold server", times(home), "100 cells, 9 images", 2),
            _line(
                "one click from Home to a new map, server up 30 s", times(map_, UP_S), "3 maps", 5
            ),
            _line("the same on a cold server", times(map_), "3 maps", None),
            _line("two clicks to the map of an own model's error", times(own), "3 maps", 180),
        ]
        browser.close()
    return lines


def _line(what: str, seconds: tuple[float, ...], checked: str, bar_s: float | None) -> Measured:
    return Measured(what, "", checked, seconds, (), Bar(max_s=bar_s))


def _on_new_server(
    folder: Path, browser: "Browser", do: "Callable[[Browser, int], float]", up_s: float
) -> float:
    folder.mkdir()
    with serving(folder) as port:
        if up_s:
            _opened_home(browser, port).context.close()  # the server warms up after its first page
            time.sleep(up_s)
        return do(browser, port)


def _opened_home(browser: "Browser", port: int) -> "Page":
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_function(HOME)
    return page


def home(browser: "Browser", port: int) -> float:
    """Home, from the address to the last image."""
    started = time.perf_counter()
    _opened_home(browser, port).context.close()
    return time.perf_counter() - started


def map_(browser: "Browser", port: int) -> float:
    """From a click on the first error to its maps on Grad-CAM."""
    page = _opened_home(browser, port)
    started = time.perf_counter()
    page.get_by_role("link", name="Predicted").first.click()
    page.get_by_role("heading", name="Grad-CAM", exact=True).wait_for()
    page.wait_for_function(MAPS)
    seconds = time.perf_counter() - started
    page.context.close()
    return seconds


def own(browser: "Browser", port: int) -> float:
    """Train a model now, then the first error that its page shows when it has ended."""
    page = _opened_home(browser, port)
    started = time.perf_counter()
    page.get_by_role("button", name="Train a model now").click()
    page.locator(".tiles a").first.click()
    page.get_by_role("heading", name="Grad-CAM", exact=True).wait_for()
    page.wait_for_function(MAPS)
    seconds = time.perf_counter() - started
    page.context.close()
    return seconds
