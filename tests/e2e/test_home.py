"""The first minute in the browser: results before anything was trained, then a run of one's own."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cifar_core.evaluation.available import load_predictions
from cifar_core.runs.store import TrainingRun, list_runs
from tests.e2e.conftest import Server
from tests.e2e.steps import settle
from tests.e2e.test_loop import click_cell
from tests.real_jobs import wait_until_training


@pytest.fixture
def shown(server: Server, shipped_once: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingRun:
    """A server to which a run came with the app, and that run."""
    monkeypatch.setenv("CIFAR_SHIPPED", str(shipped_once))
    server.kill()
    server.env["CIFAR_SHIPPED"] = str(shipped_once)
    server.start()
    (run,) = list_runs(server.runs)
    return run


def test_from_home_to_images_and_maps_without_any_training(
    server: Server, page: Page, shown: TrainingRun
) -> None:
    predictions = load_predictions(shown)
    page.goto(server.url)
    expect(page.get_by_text(f"first: {predictions.acc:.2%} test accuracy")).to_be_visible()
    expect(page.locator("figure img")).to_have_count(9)
    link = page.get_by_role("link", name="Predicted").first
    label = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", name="Grad-CAM", exact=True)).to_be_visible()
    expect(page.locator("figure img")).to_have_count(3)
    assert label.split("is ")[-1] in page.locator("figcaption").first.inner_text()

    page.go_back()
    expect(page.get_by_text("What it confuses.")).to_be_visible()
    settle(page)
    errors = predictions.matrix.copy()
    errors[range(len(errors)), range(len(errors))] = 0
    true, predicted = (int(n) for n in divmod(int(errors.argmax()), len(errors)))
    click_cell(page, true, predicted)
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    count = int(errors.max())
    expect(page.locator(".tiles figure")).to_have_count(min(count, 48))
    assert not list(server.runs.glob("*/request.json"))


def test_train_a_model_now_is_one_click(server: Server, page: Page, shown: TrainingRun) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Train a model now").click()
    expect(page).to_have_url(re.compile(r"/train\?run="))
    (run,) = [run for run in list_runs(server.runs) if not run.is_shipped]
    expect(page.get_by_role("heading", name=run.name, exact=True)).to_be_visible()
    assert (run.config.data, run.config.model) == ("shapes10", "convnet")
    expected = run.request.forecast
    assert expected is not None
    assert expected.seconds <= 60
    wait_until_training(run.path)
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text(f"{run.name}: epoch")).to_be_visible()  # it is shown there, too
