"""What a new user does, in a real browser: from no data to runs that are compared."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from tests.e2e.accessibility import serious_violations
from tests.e2e.conftest import Server, new_window
from tests.e2e.steps import (
    go,
    metric,
    press_pill,
    set_number,
    settle,
    small_form,
    stop_button,
    with_a_table,
)
from tests.real_jobs import wait_for, wait_until_training

PATHS = ("", "data", "augmentation", "lr_finder", "train", "runs", "models")
PATHS += ("evaluation", "evaluation?view=epochs", "evaluation?view=embedding", "gallery", "image")
PATHS += ("compare", "gradcam", "gradcam?beside=layers")


def tick_rows(page: Page, *rows: int) -> None:
    """Selects rows of the runs table, which is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    for row in rows:
        table.click(position={"x": 16, "y": 52 + 35 * row})
        settle(page)


def compare_rename_delete(server: Server, page: Page) -> None:
    """Two runs side by side; one gets a name and notes, and is deleted."""
    go(page, "Runs")
    settle(page)
    tick_rows(page, 0, 1)
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(2)
    tick_rows(page, 1)
    page.get_by_role("button", name="Edit name and notes").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Name").fill("gentle")
    page.get_by_role("dialog").get_by_role("textbox", name="Notes").fill("half the rate")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert {r.name for r in list_runs(server.runs)} == {"gentle", "by eye"}
    settle(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [r.name for r in list_runs(server.runs)] == ["by eye"]


def test_from_no_data_to_compared_runs(server: Server, page: Page) -> None:
    page.goto(server.url)
    expect(page.get_by_text("CIFAR-10 not found")).to_be_visible()
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    expect(page.get_by_text(re.compile("cpu, (fp32|bf16)"))).to_be_visible()

    go(page, "Data")
    expect(page.get_by_text("20,000 train images")).to_be_visible()
    expect(page.locator("figure img")).to_have_count(60 + 10)  # and the mean image of each class
    press_pill(page, "star")
    expect(page.get_by_text("2,000 train images")).to_be_visible()
    expect(page.locator("figure figcaption").filter(has_text="star")).to_have_count(60 + 1)

    go(page, "Models")
    expect(page.get_by_text("147,426", exact=True)).to_be_visible()

    go(page, "Augmentation")
    press_pill(page, "cutout")
    expect(page.get_by_text("Cutout (50%)")).to_be_visible()
    digest = page.locator("code").first.inner_text()
    expect(page.locator("img[alt*='PadCrop']")).to_have_count(60)
    page.get_by_role("button", name="Use in training").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.locator("code").first).to_have_text(digest)

    small_form(page)
    expect(page.get_by_text("measured on this machine")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("by eye")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="by eye")).to_be_visible()
    expect(page.get_by_text(digest).first).to_be_visible()
    expect(page.get_by_text("completed")).to_be_visible()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(2)
    expect(metric(page, "Epoch")).to_have_text("3 / 3")
    expect(page.get_by_text("Duration").first).to_be_visible()  # drawn last, when the run has ended
    assert float(metric(page, "Test accuracy").inner_text().rstrip("%")) > 15
    (run,) = list_runs(server.runs)
    assert run.config.augment.digest.startswith(digest)

    page.get_by_role("button", name="Duplicate run").click()
    settle(page)
    set_number(page, "Learning rate", 0.05)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="convnet-1")).to_be_visible()
    expect(page.get_by_text("completed")).to_be_visible()

    compare_rename_delete(server, page)


def test_a_run_is_untouched_by_reload_closing_and_a_killed_server(
    server: Server, browser: Browser, page: Page
) -> None:
    page.goto(f"{server.url}/train")
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    settle(page)
    small_form(page)
    set_number(page, "Epochs", 60)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Images per second")).to_be_visible()
    (run,) = list_runs(server.runs)
    wait_until_training(run.path)
    worker = read_run(run.path, TrainingRun).status.worker
    link = page.url
    assert run.run_id in link

    page.reload()
    expect(page.get_by_text("running")).to_be_visible()
    page.goto("about:blank")
    server.kill()
    assert read_run(run.path, TrainingRun).state is RunState.RUNNING
    server.start()
    again = new_window(browser)
    again.goto(link)  # the very first request of the new server is a deep link
    expect(again.get_by_role("heading", name=run.name)).to_be_visible()
    expect(again.get_by_text("running")).to_be_visible()
    expect(again.get_by_test_id("stSidebarNavLink").filter(has_text="Runs")).to_be_visible()
    assert read_run(run.path, TrainingRun).status.worker == worker
    stop_button(again).click()
    stopped = wait_for(run.path, RunState.STOPPED)
    expect(again.get_by_text("Stopped by user.")).to_be_visible()
    assert list(stopped.path.glob("last-*/manifest.json"))
    again.context.close()


def test_mistakes_are_sentences(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/train?run=nobody")
    expect(page.get_by_text("There is no run 'nobody'")).to_be_visible()
    page.goto(f"{server.url}/train")
    settle(page)
    page.get_by_role("textbox", name="Name").fill("a/b")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("no slashes")).to_be_visible()
    assert list_runs(server.runs) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_no_page_scrolls_sideways_shows_an_exception_or_keeps_anybody_out(
    server: Server, browser: Browser, finished: Path, shared_cache: Path, theme: str, width: int
) -> None:
    with_a_table(server, finished, shared_cache)
    page = new_window(browser, width, 900, color_scheme=theme)
    violations = list[str]()
    for path in PATHS:
        page.goto(f"{server.url}/{path}")
        expect(page.locator("h1")).to_be_visible()
        settle(page)
        wide = "document.documentElement.scrollWidth > window.innerWidth + 1"
        assert not page.evaluate(wide), path
        if width == 1280:
            violations += serious_violations(page)
    assert not violations, "\n".join(violations)
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    channels = [int(n) for n in re.findall(r"\d+", background)[:3]]
    assert (sum(channels) < 200) == (theme == "dark")
    page.context.close()
