"""Explaining errors in a real browser: epochs, one image, embedding, layers, the report."""

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.history import load_history
from cifar_core.evaluation.selections import named_selections
from cifar_core.explain.comparisons import ABOUT
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from tests.e2e.conftest import Server
from tests.e2e.steps import catch_up, metric, press_pill, settle, stop_button, with_a_table
from tests.real_jobs import wait_for


@pytest.fixture
def evaluated(
    server: Server, finished: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A run of two epochs with its table, in the server's folder."""
    with_a_table(server, finished, shared_cache)
    monkeypatch.setenv("CIFAR_CACHE", str(server.folder / "cache"))
    return server.runs / finished.name


def test_the_epochs_lead_to_one_image_and_its_neighbors(
    server: Server, page: Page, evaluated: Path
) -> None:
    history = load_history(read_run(evaluated, TrainingRun))
    page.goto(f"{server.url}/evaluation?run=first")
    press_pill(page, "Over epochs")
    expect(metric(page, "Accuracy")).to_have_text(f"{history.acc[1]:.2%}")
    page.get_by_role("slider").press("ArrowLeft")
    expect(metric(page, "Accuracy")).to_have_text(f"{history.acc[0]:.2%}")
    expect(page).to_have_url(re.compile("epoch=1"))
    page.get_by_role("slider").press("ArrowRight")
    fixed, _ = history.changes(1)
    expect(metric(page, "Fixed")).to_have_text(f"{len(fixed):,}")
    settle(page)
    page.locator(".tiles a").first.click()
    expect(page.get_by_role("heading", name="One image")).to_be_visible()
    index = int(history.examples.indices[fixed[0]])
    expect(page).to_have_url(re.compile(f"image={index}"))
    expect(page.get_by_text(history.learning_summary(int(fixed[0])))).to_be_visible()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(1)
    expect(page.locator(".tiles a")).to_have_count(12)
    settle(page)
    page.locator(".tiles a").first.click()
    expect(page).not_to_have_url(re.compile(f"image={index}(&|$)"))
    settle(page)
    page.get_by_role("link", name="Other layers, methods and classes").click()
    expect(page.get_by_role("heading", name="Grad-CAM", level=1)).to_be_visible()
    expect(page.get_by_text(ABOUT["epochs"])).to_be_visible()


def lasso(page: Page) -> None:
    """Draws a circle around the middle of the embedding."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    x, y, radius = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["height"] / 4
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for turn in range(1, 25):
        angle = turn / 24 * 2 * math.pi
        page.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle))
    page.mouse.up()


def test_a_lasso_opens_the_gallery_and_its_link_opens_elsewhere(
    server: Server, browser: Browser, page: Page, evaluated: Path
) -> None:
    page.goto(f"{server.url}/evaluation?run=first&view=embedding")
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(1)
    settle(page)
    catch_up(page)  # the dots are drawn by the browser's own thread
    lasso(page)
    expect(page.get_by_role("heading", name="Gallery", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile("selection="))
    settle(page)
    caption = page.get_by_text(re.compile(r"of 2,000 test images of Shapes-10")).first.inner_text()
    assert 0 < int(caption.split()[0].replace(",", "")) < 2000
    page.get_by_role("button", name="Name selection").click()
    page.get_by_role("textbox", name="Name").fill("in the middle")
    page.get_by_role("button", name="Save", exact=True).click()
    selection = page.get_by_role("combobox", name="Selection")
    expect(selection).to_have_value(re.compile(r"in the middle \(\d+\)"))
    (saved,) = named_selections(evaluated, "test")
    assert saved.name == "in the middle"
    other = browser.new_context().new_page()
    other.goto(page.url)
    expect(other.get_by_text(caption).first).to_be_visible(timeout=40_000)
    other.context.close()


def test_selected_images_are_the_ones_that_open(
    server: Server, page: Page, evaluated: Path
) -> None:
    page.goto(f"{server.url}/gallery?run=first&show=all&sort=index")
    boxes = page.locator(".tiles input")
    expect(boxes).to_have_count(48)
    settle(page)
    for number in range(5):
        boxes.nth(number).check()
        label = f"Grad-CAM for {number + 1} selected"
        expect(page.get_by_role("button", name=label)).to_be_visible()
        settle(page)
    assert [boxes.nth(number).is_checked() for number in range(7)] == [True] * 5 + [False] * 2
    boxes.nth(2).uncheck()
    page.get_by_role("button", name="Grad-CAM for 4 selected").click()
    expect(page.get_by_role("heading", name="Grad-CAM", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(r"images=0(,|%2C)1(,|%2C)3(,|%2C)4"))


def test_the_ranking_can_be_stopped_and_the_report_downloaded(
    server: Server, page: Page, evaluated: Path, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/gradcam?run=first&beside=sanity")
    expect(page.get_by_text("untrained", exact=True)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Rank layers and methods").click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ pairs"))).to_be_visible()
    stop_button(page).click()
    expect(page.get_by_role("button", name="Rank layers and methods")).to_be_visible()
    (job,) = [job for job in list_runs(server.runs, AnalysisJob) if job.kind == "road"]
    wait_for(job.path, RunState.STOPPED)

    page.goto(f"{server.url}/evaluation?run=first")
    page.get_by_role("button", name="Report").click()
    page.get_by_role("button", name="Generate report").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    page.goto(report.as_uri())
    expect(page.get_by_role("heading", name="first")).to_be_visible()
    expect(
        page.get_by_text(f"{load_predictions(read_run(evaluated, TrainingRun)).acc:.2%}").first
    ).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('.js-plotly-plot').length") == 6
