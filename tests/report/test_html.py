"""The report: whole and self-contained."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.cli.main import main
from cifar_core.config.train import TrainConfig
from cifar_core.evaluation.available import load_predictions
from cifar_core.jobs.launch_analysis import launch_report
from cifar_core.records import layout
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from cifar_core.system.files import write_json
from tests.real_jobs import wait_for


class Reader(HTMLParser):
    """What a page loads from elsewhere, and its text outside of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.images, self.inside, self.text = 0, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        for name, value in attrs:
            if name in ("src", "href") and value and not value.startswith("data:image/png;base64,"):
                self.loaded.append(value)
            self.images += name == "src"

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.text += data


@pytest.fixture
def page(copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    write_json(copied / "name.json", {"name": "first", "notes": "<b>bold</b> & more"})
    out = tmp_path / "page.html"
    assert main(["report", "first", "--out", str(out)]) == 0
    assert f"Wrote {out}." in capsys.readouterr().out
    return out.read_text(encoding="utf-8")


def test_it_holds_all_and_loads_nothing(page: str, copied: Path) -> None:
    read = Reader()
    read.feed(page)
    assert read.loaded == []
    assert read.images == 40
    run, predictions = (
        read_run(copied, TrainingRun),
        load_predictions(read_run(copied, TrainingRun)),
    )
    for told in (
        f"{predictions.acc:.2%}",
        str(predictions),
        run.run_id,
        run.config.augment.digest,
        find_checkpoint(copied).weights_sha256,
        run.status.versions["torch"],
        run.status.runtime.device_reason,
        "<b>bold</b> & more",  # as text: it was escaped
        "python -m cifar_core train --name 'first again'",
        "GradCAM at ",
    ):
        assert told in read.text, told
    for name in TrainConfig.model_fields:
        assert name in read.text
    assert len(re.findall(r'id="plot-(?:matrix|loss|acc|scores-\d)"', page)) == 6


def test_it_is_made_anew_at_each_asking_and_needs_no_table_before(copied: Path) -> None:
    run, name = read_run(copied, TrainingRun), find_checkpoint(copied).name
    first = launch_report(copied.parent, run, name)
    assert launch_report(copied.parent, run, name) == first
    wait_for(first, RunState.COMPLETED)
    second = launch_report(copied.parent, run, name)
    wait_for(second, RunState.COMPLETED)
    assert (second / layout.REPORT).is_file()
    third = launch_report(copied.parent, run, name)
    there = {job.path for job in list_runs(copied.parent, AnalysisJob)}
    assert there == {second, third}  # one that is there stays until the next one is
    wait_for(third, RunState.COMPLETED)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--out", "page.txt"], "has to end in .html"),
        (["--out", "no/such/page.html"], "there is no such folder"),
        (["--checkpoint", "worst"], "no checkpoint 'worst'"),
    ],
)
def test_what_will_not_do_is_a_sentence(
    copied: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "first", *options]) == 2
    assert told in capsys.readouterr().err
    assert not list_runs(copied.parent, AnalysisJob)
