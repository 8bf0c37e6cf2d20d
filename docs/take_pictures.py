"""python -m docs.take_pictures [NAME …]: takes the README's screenshots, with Shapes-10."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.runs.store import TrainingRun, find_run

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Picture = tuple[str, str, str, int]  # name, address, theme, height
HOME: Picture = ("home", "", "light", 1100)
SHAPES = ("--data", "shapes10", "--model", "convnet")
COMMANDS = (
    ["lr-find", *SHAPES, "--num-seeds", "3"],
    ["train", *SHAPES, "--name", "convnet, fast", "--epochs", "6", "--lr", "0.05"],
    ["train", *SHAPES, "--name", "convnet, cutout", "--epochs", "6", "--augment", "cutout"],
    ["evaluate", "convnet, cutout"],
)


def main(names: list[str]) -> None:
    """Starts the app and takes the screenshots; for all but Home trains two runs first.

    Args:
        names: Of the pictures to take; empty for all.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("CIFAR10_DIR", None)
        os.environ |= {"CIFAR_CACHE": f"{folder}/cache", "CIFAR_RUNS": f"{folder}/runs"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
        server, url = subprocess.Popen(command, cwd=ROOT), f"http://127.0.0.1:{port}"
        try:
            wait(f"{url}/_stcore/health")
            if not names or HOME[0] in names:
                take(url, [HOME])  # while there are only runs that came with the app
            if names != [HOME[0]]:
                train()
                errors = worst_errors(Path(folder) / "runs", 6)
                take(url, [one for one in pictures(errors) if not names or one[0] in names])
        finally:
            server.terminate()
            server.wait(20)


def train() -> None:
    """The runs that the pictures show."""
    for arguments in COMMANDS:
        command = [sys.executable, "-m", "cifar_core", *arguments]
        subprocess.run(command, cwd=ROOT, check=True)


def wait(url: str) -> None:
    """Waits until the server responds; gives up after about 20 seconds."""
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


def worst_errors(root: Path, count: int) -> str:
    """Indices of the evaluated run's errors with the highest confidence, separated by commas."""
    predictions = load_predictions(find_run(root, "convnet, cutout", TrainingRun))
    return ",".join(
        str(index)
        for index in predictions.examples.indices[most_confident_errors(predictions, count)]
    )


def pictures(errors: str) -> list[Picture]:
    """Those of the README but Home.

    Args:
        errors: As `worst_errors` gives them.
    """
    return [
        ("augmentation", "augmentation", "light", 1010),
        ("train", "train?run=convnet, fast", "dark", 830),
        ("lr_finder", "lr_finder", "light", 1180),
        ("evaluation", "evaluation?run=convnet, cutout", "light", 1010),
        ("gallery", "gallery?run=convnet, cutout", "dark", 830),
        ("gradcam", f"gradcam?run=convnet, cutout&images={errors}", "light", 1180),
        ("places", "evaluation?run=convnet, cutout&view=embedding", "light", 1080),
        ("image", f"image?run=convnet, cutout&image={errors.split(',')[0]}", "dark", 1180),
    ]


def take(url: str, chosen: list[Picture]) -> None:
    """Takes screenshots."""
    with sync_playwright() as playwright:
        executable = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for name, path, theme, height in chosen:
            context = browser.new_context(
                color_scheme="dark" if theme == "dark" else "light",
                viewport={"width": 1360, "height": height},
            )
            page = context.new_page()
            page.goto(f"{url}/{path}")
            settle(page)
            page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")
            context.close()
        browser.close()


def settle(page: Page) -> None:
    """Waits until the page's script has ended, maps included, and its plots are drawn."""
    page.locator("h1").wait_for(timeout=60_000)
    page.wait_for_timeout(4000)
    for sign in ("stStatusWidget", "stSpinner", "stProgress"):
        page.get_by_test_id(sign).first.wait_for(state="detached", timeout=120_000)
    page.wait_for_timeout(1000)


if __name__ == "__main__":
    main(sys.argv[1:])
