"""Choosing by looking: a spec built, exported, imported, trained with, and redrawn equal."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from cifar_core.augment import AugmentSpec
from cifar_core.data import open_dataset
from cifar_core.runs.store import list_runs
from cifar_core.training.batches import redraw
from tests.e2e.conftest import Server
from tests.e2e.steps import catch_up, go, press_pill, set_number, settle, small_form


def build(page: Page) -> str:
    """A preset, one more operation, moved to the front; returns the hash on the page."""
    go(page, "Augmentation")
    press_pill(page, "cutout")
    expect(page.get_by_text("Cutout (50%)")).to_be_visible()
    settle(page)
    page.get_by_role("combobox", name="Add").click()
    page.get_by_role("combobox", name="Add").fill("ToGray")  # of many, few are drawn
    page.get_by_role("option", name="Color · ToGray").click()
    expect(page.get_by_text("ToGray (10%)")).to_be_visible()
    settle(page)
    for place in (3, 2, 1):
        page.get_by_role("button", name="Up", exact=True).nth(place).click()
        settle(page)
    expect(page.get_by_text("ToGray (10%) → PadCrop")).to_be_visible()
    expect(page.locator("img[alt*='PadCrop']")).to_have_count(60)
    return page.locator("code").first.inner_text()


def exported(page: Page, form: str) -> str:
    page.get_by_role("button", name="Import / export").click()
    page.get_by_text(form, exact=True).click()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    close(page)
    return Path(download.value.path()).read_text()


def imported(page: Page, text: str) -> None:
    page.get_by_role("button", name="Import / export").click()
    content = {"name": "spec.json", "mimeType": "application/json", "buffer": text.encode()}
    page.locator("input[type=file]").last.set_input_files(content)  # pyright: ignore[reportArgumentType] # a file payload
    page.get_by_role("button", name="Load into builder").click()
    settle(page)
    close(page)


def close(page: Page) -> None:
    """Closes the popover, which would else take the next click for itself."""
    page.get_by_role("heading", name="Augmentation").click()
    expect(page.get_by_role("button", name="Download", exact=True)).to_have_count(0)


def click_the_curve(page: Page, number: int) -> float:
    """Clicks a point of the curve; returns its learning rate."""
    x, y, lr = page.evaluate(
        """number => {
            const plot = document.querySelector('.js-plotly-plot'), layout = plot._fullLayout;
            const curve = plot._fullData.find(trace => /median|smoothed/.test(trace.name));
            const area = plot.querySelector('.nsewdrag').getBoundingClientRect();
            const lr = curve.x[number];
            const right = area.x + layout.xaxis.l2p(Math.log10(lr));
            return [right, area.y + layout.yaxis.l2p(curve.y[number]), lr];
        }""",
        number,
    )
    page.mouse.move(x, y)
    catch_up(page)  # it hovers before it clicks
    page.mouse.click(x, y)
    settle(page)
    return lr


def test_what_was_chosen_by_looking_is_what_is_trained_on(
    server: Server, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(server.url)
    digest = build(page)
    ours, theirs = (exported(page, form) for form in ("JSON", "albumentations JSON"))
    assert AugmentSpec.from_json(ours).digest.startswith(digest)
    for text in (ours, theirs):
        press_pill(page, "none")
        settle(page)
        expect(page.locator("code").first).not_to_have_text(digest)
        imported(page, text)
        expect(page.locator("code").first).to_have_text(digest)
    page.get_by_role("button", name="Use in training").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    small_form(page)

    go(page, "LR finder")
    expect(page.get_by_text(digest).first).to_be_visible()
    set_number(page, "Steps", 60)
    set_number(page, "Seeds", 2)
    page.get_by_role("button", name="Start LR test").click()
    expect(page.get_by_text("Suggested:").first).to_be_visible()
    settle(page)
    clicked = click_the_curve(page, 30)
    chosen = float(page.get_by_test_id("stSlider").last.inner_text().split()[6])
    assert chosen == pytest.approx(clicked, rel=0.08)
    page.get_by_role("button", name="Use in training").click()
    expect(page.get_by_text(f"{chosen:g} from the LR test at")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("completed").first).to_be_visible()
    expect(page.get_by_text(f"Learning rate {chosen:g} from an LR test (custom)")).to_be_visible()

    (run,) = list_runs(server.runs)
    assert run.config.augment.digest.startswith(digest)
    assert run.config.lr == chosen
    page.get_by_text("Replay a training batch").click()
    page.get_by_text("Show batch").click()
    tiles = page.get_by_test_id("stHtml").locator("figure img")  # not those of its errors
    expect(tiles).to_have_count(run.config.batch_size)
    monkeypatch.setenv("CIFAR_CACHE", str(server.folder / "cache"))
    pixels, _ = redraw(run.config, open_dataset(run.config.data), 0, 0)
    for number in (0, 17, run.config.batch_size - 1):
        source = tiles.nth(number).get_attribute("src")
        assert source is not None
        with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as shown:
            np.testing.assert_array_equal(np.asarray(shown), pixels[number])
