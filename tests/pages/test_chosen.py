"""What was chosen stays chosen on all pages about a trained model; a link wins over it."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.runs.lifecycle import delete_run
from cifar_core.runs.store import TrainingRun, read_run
from tests.apptest import app, in_url, opened_again
from tests.real_jobs import rewrite

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")
NEWER = "20990102-000000-beef"


@pytest.fixture
def newer(copied: Path) -> Path:
    """A second run, that pages without a choice would open."""
    run_dir = Path(shutil.copytree(copied, copied.parent / NEWER))
    rewrite(run_dir, run_id=NEWER)
    rewrite(run_dir, "name.json", name="second", notes="")
    return run_dir


def by_sidebar(at: AppTest, page: str) -> AppTest:
    """A page opened without anything in its address."""
    at.query_params.clear()
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, page
    assert not at.warning, page
    return at


def shown_run(at: AppTest) -> str:
    return str(next(box.value for box in at.selectbox if box.label == "Run"))


def test_run_checkpoint_and_images_stay_chosen(copied: Path, newer: Path) -> None:
    last = find_checkpoint(copied, "last").name
    at = by_sidebar(app(), "gallery")
    assert shown_run(at) == NEWER
    opened_again(at, "gradcam", run=copied.name, checkpoint=last, split="test", images="7,12")
    for page in ("evaluation", "gallery", "image", "compare", "gradcam"):
        by_sidebar(at, page)
        assert (in_url(at, "run"), in_url(at, "checkpoint")) == (copied.name, last), page
    assert in_url(at, "images") == "7,12"
    assert in_url(by_sidebar(at, "image"), "image") == "7"
    opened_again(at, "image", run=copied.name, checkpoint=last, image="99")
    assert in_url(by_sidebar(at, "gradcam"), "images") == "99"


def test_a_link_wins_and_images_of_another_run_are_forgotten(copied: Path, newer: Path) -> None:
    at = opened_again(app(), "gradcam", run=copied.name, images="7")
    opened_again(at, "gallery", run=NEWER)
    assert in_url(at, "run") == NEWER
    by_sidebar(at, "gradcam")
    assert in_url(at, "run") == NEWER
    assert in_url(at, "images") != "7"
    opened_again(at, "gradcam", run=copied.name)
    assert in_url(at, "images") != "7"


def test_what_was_deleted_is_not_asked_for(copied: Path, newer: Path) -> None:
    at = opened_again(app(), "gallery", run=copied.name)
    delete_run(read_run(copied, TrainingRun))
    assert shown_run(by_sidebar(at, "evaluation")) == NEWER
