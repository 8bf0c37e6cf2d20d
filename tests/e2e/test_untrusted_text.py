"""People's own text in a real browser: each character is shown, nothing is made of it."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request

from cifar_core.system.files import read_json, write_json
from tests.e2e.conftest import Server
from tests.e2e.steps import settle, with_a_table
from tests.e2e.untrusted_texts import TEXTS

BOXES = ("stAlertContentError", "stAlertContentWarning", "stAlertContentInfo", "stMetricLabel")
BOXES += ("stButton", "stMarkdown", "stHeading")
PARTS = "[data-testid='stMarkdownContainer']"
ACTIVE = "a:not([href^='#']), img, code, em, del, ul, ol, blockquote, table, .katex, hr, input"
LURE = '![i](http://evil.test/i.png)[Sign in](http://evil.test) <img src="http://evil.test/j">'
LURE += '<a href="http://evil.test/p">p</a>'
MADE = "a[href*='evil.test'], img[src*='evil.test'], svg a"
PATHS = ("", "data", "lr_finder", "train", "runs", "evaluation", "gallery", "image", "compare")
PATHS += ("gradcam", "augmentation", "evaluation?view=epochs", "train?run={id}", "models")
CRAFTED = ("run", "checkpoint", "split", "model", "selection", "true", "sort", "other", "image")


def seen(text: str) -> str:
    """A text without what nobody sees."""
    return " ".join(re.sub("[\u200b\u2060\u202c\u202e]", "", text).split())


class TextServer(Server):
    """The script with the texts instead of the app."""

    def command(self) -> list[str]:
        options = ["--server.headless=true", f"--server.port={self.port}"]
        return ["-m", "streamlit", "run", "tests/e2e/untrusted_texts.py", *options]


@pytest.mark.parametrize("server", [TextServer], indirect=True)
def test_every_character_is_shown_and_nothing_is_made_of_it(server: Server, page: Page) -> None:
    page.goto(server.url)
    settle(page)
    for number, text in enumerate(TEXTS):
        case = page.locator(f".st-key-case-{number}")
        for name in BOXES:
            for part in case.get_by_test_id(name).locator(PARTS).all_text_contents():
                assert seen(part).removeprefix("Before ") == seen(text), name
        assert case.locator(PARTS).count() >= 7, text
        assert case.locator(PARTS).locator(ACTIVE).count() == 0, text
        assert case.locator(PARTS).locator("strong").count() == 1, text


def test_no_name_note_or_address_loads_or_links_anything_foreign(
    server: Server, page: Page, finished: Path, shared_cache: Path
) -> None:
    with_a_table(server, finished, shared_cache)
    run = server.runs / finished.name
    write_json(run / "name.json", {"name": LURE, "notes": LURE})
    for file in ("request.json", "status.json"):
        write_json(run / file, (read_json(run / file) or {}) | {"data_title": LURE})
    foreign: list[str] = []
    ours = (server.url, server.url.replace("http", "ws"), "data:", "blob:")

    def note(request: Request) -> None:
        if not request.url.startswith(ours):
            foreign.append(request.url)

    page.on("request", note)
    crafted = "&".join(f"{name}={quote(LURE)}" for name in CRAFTED)
    queries = [path.format(id=finished.name) for path in PATHS]
    queries += [f"{path}?{crafted}" for path in PATHS if "?" not in path]
    for query in queries:
        page.goto(f"{server.url}/{query}")
        settle(page)
        made = page.locator(MADE)
        assert made.evaluate_all("all => all.map(one => one.outerHTML)") == [], query
    assert foreign == []
