"""A change on the Augmentation page, until the tiles are drawn anew, in Chromium; no peer."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app_server import serving
from benchmarks.frame import QUICK_REPEATS, REPEATS, Bar, Measured, Unequal
from benchmarks.opening import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PRESETS = {"standard": "kernels", "eva_resnet18": "albumentations", "strong": "with CutMix"}
NUM_DRAWS, CHANGES = 8, 4  # of ten images each; per repetition
SETTLED_MS = 700
# Seconds from the click that changes the seed to the first new tile on the screen.
CHANGE = """async () => {
    const drawn = () => {
        const tiles = document.querySelectorAll("img[src^='data:image/png']");
        return [...tiles].slice(0, 18).map(tile => tile.src).join();  // two rows: one may stay
    };
    const inputs = [...document.querySelectorAll('[data-testid=stNumberInput]')];
    const seed = inputs.find(input => input.innerText.includes('Seed'));
    const [before, started] = [drawn(), performance.now()];
    seed.querySelector('[data-testid=stNumberInputStepUp]').click();
    while (drawn() === before && performance.now() - started < 20000)
        await new Promise(done => requestAnimationFrame(done));
    return (performance.now() - started) / 1000;
}"""


def measure(quick: bool) -> list[Measured]:
    """Ten images by eight draws, by three presets."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    repeats = QUICK_REPEATS if quick else REPEATS
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serving(Path(folder), warm=True) as port,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page = browser.new_context(viewport={"width": 1280, "height": 1200}).new_page()
        page.goto(f"http://127.0.0.1:{port}/augmentation")
        lines = [_line(page, preset, repeats) for preset in PRESETS]
        browser.close()
    return lines


def _line(page: "Page", preset: str, repeats: int) -> Measured:
    page.get_by_test_id("stButtonGroup").get_by_text(preset, exact=True).click()
    draws = page.get_by_role("spinbutton", name="Draws")
    draws.fill(str(NUM_DRAWS))
    draws.press("Enter")
    page.wait_for_timeout(4 * SETTLED_MS)
    num_tiles = page.locator("img[src^='data:image/png']").count()
    if num_tiles != 10 * (NUM_DRAWS + 1):
        raise Unequal(f"{num_tiles} tiles are drawn, not {10 * (NUM_DRAWS + 1)}")
    times = []
    for _ in range(repeats * CHANGES):
        times.append(float(page.evaluate(CHANGE)))
        page.wait_for_timeout(SETTLED_MS)
    what = f"a change redraws 10 x {NUM_DRAWS} tiles, {preset} ({PRESETS[preset]})"
    checked = f"{num_tiles} tiles, all anew at each change"
    return Measured(what, "", checked, tuple(times), (), Bar(max_s=0.3))
