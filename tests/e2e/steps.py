"""What people do on the pages, for the tests in the browser."""

import shutil
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from cifar_core.jobs.launch_analysis import launch_evaluation
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from tests.e2e.conftest import Server
from tests.e2e.script_runs import is_pending
from tests.real_jobs import wait_for
from tests.waiting import LIMIT_S

# Resolves when the page has handled all events before, drawn, and run what waits a moment for more.
HANDLED = """() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 250)))
)"""


def go(page: Page, name: str) -> None:
    """Through the navigation, as people do; waits for the page's title."""
    page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def catch_up(page: Page) -> None:
    """Waits until the page has handled all events so far, and has drawn."""
    page.evaluate(HANDLED)


def settle(page: Page) -> None:
    """Waits until the page has sent what was done on it and all runs of its script have ended."""
    catch_up(page)
    until = time.monotonic() + LIMIT_S
    while is_pending(page):
        assert time.monotonic() < until, "The script does not end."
        page.wait_for_timeout(50)  # messages are only heard inside a call
        catch_up(page)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def set_number(page: Page, label: str, value: object) -> None:
    box = page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(str(value))
    box.press("Enter")
    settle(page)


def stop_button(page: Page) -> Locator:
    """The page's own; while a script runs, Streamlit shows another above the page."""
    return page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Stop")


def press_pill(page: Page, text: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(text, exact=True).click()


def metric(page: Page, label: str) -> Locator:
    """The value of a figure; while the page changes there may be two of it."""
    box = page.get_by_test_id("stMetric").filter(has_text=label)
    return box.get_by_test_id("stMetricValue").first


def small_form(page: Page) -> None:
    """The quick recipe on few images, so that a run takes seconds."""
    set_number(page, "Training images", 2000)
    set_number(page, "Validation images", 500)
    set_number(page, "Epochs", 3)


def with_a_table(server: Server, finished: Path, shared_cache: Path) -> None:
    """Gives the server Shapes-10 and a run with its evaluation."""
    shutil.copytree(shared_cache, server.folder / "cache", dirs_exist_ok=True)
    shutil.copytree(finished, server.runs / finished.name)
    job = launch_evaluation(
        server.runs, read_run(server.runs / finished.name, TrainingRun), "best", "test"
    )
    wait_for(job, RunState.COMPLETED)
