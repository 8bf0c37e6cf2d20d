"""The whole loop in a browser: from Home to the map of an image that the model got wrong."""

import io
import re
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.metrics import most_confused
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import sort_rows
from cifar_core.explain.maps import prediction_label
from cifar_core.records.records import read_metrics
from cifar_core.runs.store import LRTestRun, TrainingRun, list_runs
from tests.e2e.conftest import Server, new_window
from tests.e2e.steps import go, metric, set_number, settle, small_form


def find_learning_rate(server: Server, page: Page) -> None:
    """A short LR test; its suggestion goes to the form with one click."""
    go(page, "LR finder")
    set_number(page, "Steps", 60)
    page.get_by_role("button", name="Start LR test").click()
    expect(page.get_by_text("completed").first).to_be_visible()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(1)
    (test,) = list_runs(server.runs, LRTestRun)
    points = read_metrics(test.path / "metrics.jsonl").points
    assert len(points) >= 20
    suggested = page.locator("strong", has_text="Suggested:").inner_text().split()[1].rstrip(".")
    page.get_by_role("button", name="Use in training").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True)
    settle(page)
    expect(rate).to_have_value(f"{float(suggested):g}")
    expect(page.get_by_text(f"{float(suggested):g} from the LR test at")).to_be_visible()


def train(server: Server, page: Page) -> TrainingRun:
    """A run that is too short to get everything right."""
    small_form(page)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("completed").first).to_be_visible()
    (run,) = list_runs(server.runs)
    return run


def open_evaluation(page: Page, run: TrainingRun) -> Predictions:
    """From the finished run to its evaluation by one click; returns what is on disk by then."""
    page.get_by_role("button", name="Open evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", exact=True)).to_be_visible()
    expect(metric(page, "Accuracy")).to_be_visible()
    predictions = load_predictions(run)
    expect(metric(page, "Accuracy")).to_have_text(f"{predictions.acc:.2%}")
    expect(page.get_by_text(f"{run.name}: {predictions}")).to_be_visible()
    return predictions


def click_cell(page: Page, true: int, predicted: int) -> None:
    """A real click of the mouse on a cell of the confusion matrix."""
    settle(page)
    place = page.locator(".js-plotly-plot .scatterlayer .point").nth(10 * true + predicted)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_from_home_to_the_map_of_an_image_it_got_wrong(
    server: Server, browser: Browser, page: Page
) -> None:
    page.goto(server.url)
    expect(page.get_by_text("CIFAR-10 not found")).to_be_visible()
    find_learning_rate(server, page)
    run = train(server, page)
    predictions = open_evaluation(page, run)
    classes = predictions.examples.classes

    (true, predicted, count), *_ = most_confused(predictions.matrix, 1)
    click_cell(page, true, predicted)
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{count:,} of {predictions}, run {run.name}")).to_be_visible()
    rows = sort_rows(predictions, predictions.rows(true, predicted), "confidence")
    expect(page.locator(".tiles figure")).to_have_count(min(count, 48))
    first = predictions.examples.name(rows[0])
    title = f"{first}: true {classes[true]}, predicted {classes[predicted]}"
    tile = page.locator(".tiles a").first
    expect(tile).to_have_attribute("title", re.compile(re.escape(title)))

    tile.click()
    expect(page.get_by_role("heading", name="Grad-CAM", exact=True)).to_be_visible()
    expect(page.get_by_text(prediction_label(predictions, int(rows[0])))).to_be_visible()
    expect(page.locator("figure img")).to_have_count(3)
    image, heat, both = (page.locator("figure img").nth(n).get_attribute("src") for n in range(3))
    assert len({image, heat, both}) == 3

    page.go_back()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{count:,} of {predictions}, run {run.name}")).to_be_visible()
    select_two(page)
    page.go_back()
    expect(page.get_by_role("button", name="Grad-CAM for 2 selected")).to_be_visible()  # kept
    tile.click()
    expect(page.get_by_role("heading", name="Grad-CAM", exact=True)).to_be_visible()
    expect(page.locator("figure img")).to_have_count(3)

    link = page.url
    assert f"images={predictions.examples.indices[rows[0]]}" in link
    server.kill()
    server.start()
    again = new_window(browser)
    again.goto(link)  # the first request of a new server, in a fresh browser
    expect(again.locator("figure img").nth(1)).to_have_attribute("src", str(heat))
    expect(again.get_by_test_id("stSidebarNavLink").filter(has_text="Gallery")).to_be_visible()
    opacity_hides_the_image(again)
    other_layer(again)
    again.context.close()


def select_two(page: Page) -> None:
    """Selects two images and opens Grad-CAM of both."""
    boxes = page.locator(".tiles input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Grad-CAM for 2 selected").click()
    expect(page.get_by_role("heading", name="Grad-CAM", exact=True)).to_be_visible()
    expect(page.locator("figure img")).to_have_count(6)


def opacity_hides_the_image(page: Page) -> None:
    """At 0% only the image is left."""
    page.get_by_role("button", name="Display").click()
    slider = page.get_by_role("slider", name="Overlay opacity")
    images = page.locator("figure img")
    image, strong = (str(images.nth(n).get_attribute("src")) for n in range(2))
    slider.press("Home")
    for n in (1, 2):
        expect(images.nth(n)).to_have_attribute("src", image)
    slider.press("End")
    expect(images.nth(1)).not_to_have_attribute("src", image)
    expect(images.nth(1)).not_to_have_attribute("src", strong)
    page.keyboard.press("Escape")


def other_layer(page: Page) -> None:
    """Another layer gives another map and is in the URL."""
    before = str(page.locator("figure img").nth(1).get_attribute("src"))
    page.get_by_role("combobox", name=re.compile("Layer")).click()
    page.get_by_role("option").first.click()
    expect(page).to_have_url(re.compile("layer="))
    settle(page)
    expect(page.locator("figure img").nth(1)).not_to_have_attribute("src", before)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"\x89PNG")


def as_upload(content: bytes) -> FilePayload:
    return {"name": "own.png", "mimeType": "image/png", "buffer": content}


def test_an_own_image_is_cropped_named_and_explained(
    server: Server, page: Page, finished: Path
) -> None:
    shutil.copytree(finished, server.runs / finished.name)
    page.goto(f"{server.url}/gradcam?run=first&split=upload")
    expect(page.get_by_text("Upload an image.")).to_be_visible()
    picture = io.BytesIO()
    Image.new("RGB", (90, 60), (200, 40, 40)).save(picture, "PNG")
    upload = page.locator("input[type=file]")
    upload.set_input_files(as_upload(picture.getvalue()))
    expect(page.get_by_text("Center crop (model input)")).to_be_visible()
    expect(page.get_by_text("Predicted classes")).to_be_visible()
    expect(page.locator("figure img")).to_have_count(3)

    upload.set_input_files(as_upload(picture.getvalue()[:60]))
    expect(page.get_by_text("The image is damaged or truncated")).to_be_visible()
    expect(page.locator("figure img")).to_have_count(0)
