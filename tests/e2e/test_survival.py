"""A run goes on whatever becomes of the page and the server that started it."""

import random
import re
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import load_file

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.jobs.launch import launch_training
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from tests.e2e.conftest import Server, new_window
from tests.e2e.steps import settle, stop_button
from tests.real_jobs import small, wait_for
from tests.reliability.report import Tally

pytestmark = pytest.mark.own_process
TIMES = {"images_per_s": 0.0, "train_s": 0.0, "eval_s": 0.0, "elapsed_s": 0.0}
CONFIG = small(train_size=2560, epochs=6)


def result_of(run_dir: Path) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Figures of all epochs without their times, and the last weights."""
    epochs = read_metrics(run_dir / "metrics.jsonl").epochs
    weights = load_file(find_checkpoint(run_dir, "last").path / "weights.safetensors")
    return [{**asdict(e), **TIMES} for e in epochs], {n: w.tobytes() for n, w in weights.items()}


def started_by_hand(page: Page, server: Server, twin: Path, clicks: int) -> Path:
    """The twin's settings once more, and Start pressed once or twice."""
    before = {run.run_id for run in list_runs(server.runs)}
    page.goto(f"{server.url}/train?run={twin.name}")
    page.get_by_role("button", name="Duplicate run").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Start training").click(click_count=clicks, delay=20)
    expect(page).to_have_url(re.compile(r"[?&]run="))
    expect(stop_button(page).or_(page.get_by_text("completed"))).to_be_visible()
    (run,) = (run for run in list_runs(server.runs) if run.run_id not in before)
    return run.path


def disturb(page: Page, server: Server, fault: str) -> None:
    """Something happens to the page or to the server."""
    if fault == "page reloaded":
        page.reload()
        expect(page.get_by_test_id("stMetric").first).to_be_visible()
    elif fault == "tab closed":
        page.close()  # two seconds later the server has forgotten its session
    else:
        server.kill(signal.SIGTERM if fault == "server terminated" else signal.SIGKILL)


FAULTS: tuple[str, ...] = ("page reloaded", "tab closed", "server terminated", "server killed")


def test_a_run_survives_its_page_and_its_server(
    server: Server, browser: Browser, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    """Each run meets two or more of the faults; Start is pressed twice in half of them."""
    server.kill()
    server.env["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = "1"
    server.start()
    monkeypatch.setenv("CIFAR_CACHE", str(server.folder / "cache"))
    twin = launch_training(server.runs, CONFIG)
    wait_for(twin, RunState.COMPLETED)
    expected = result_of(twin)
    chance, times = random.Random(9), tally.times(2, 30)
    met, survived = dict.fromkeys(FAULTS, 0), dict.fromkeys(FAULTS, 0)
    for number in range(times):
        page = new_window(browser)
        context = page.context
        run_dir = started_by_hand(page, server, twin, clicks=1 + number % 2)
        faults = ["page reloaded", "tab closed", FAULTS[2 + number % 2]]
        faults = faults if tally.full else faults[number:]
        for fault in faults:
            page.wait_for_timeout(chance.uniform(0, 800)) if not page.is_closed() else None
            disturb(page, server, fault)
        context.close()
        if server.process is None or server.process.poll() is not None:
            server.start()
        run = wait_for(run_dir, RunState.COMPLETED, RunState.FAILED, RunState.INTERRUPTED)
        alike = run.state is RunState.COMPLETED and result_of(run_dir) == expected
        for fault in faults:
            met[fault] += 1
            survived[fault] += alike and not read_metrics(run_dir / "metrics.jsonl").resumes
    assert len(list_runs(server.runs)) == times + 1
    assert read_run(twin, TrainingRun).state is RunState.COMPLETED
    for fault in FAULTS:
        what = f"{fault} while a torch worker trains, in Chromium: identical weights and metrics"
        tally.note("R2", what, survived[fault], met[fault])


def test_a_completed_run_is_trained_longer_in_the_browser(
    server: Server, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_CACHE", str(server.folder / "cache"))
    short = launch_training(server.runs, small(), "short")
    wait_for(short, RunState.COMPLETED)
    page.goto(f"{server.url}/train?run=short")
    page.get_by_role("button", name="Train longer").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("spinbutton", name="Total epochs").fill("3")
    dialog.get_by_role("button", name="Start").dblclick()
    expect(page.get_by_role("heading", name="short-1")).to_be_visible()
    expect(page.get_by_text("Extended from short")).to_be_visible()
    expect(page.get_by_text("completed").first).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("3 / 3")
    assert len(list_runs(server.runs)) == 2
