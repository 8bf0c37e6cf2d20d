"""`runs`: list, show, rename, delete."""

import json
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.report.commands import train_command
from cifar_core.runs.store import TrainingRun, read_run
from tests.cli.calls import out
from tests.real_jobs import held, pretend_running


def test_runs_list_show_rename_and_delete(capsys: pytest.CaptureFixture[str], copied: Path) -> None:
    assert "first" in out(capsys, "runs", "list")
    (described,) = json.loads(out(capsys, "runs", "list", "--json"))
    assert described["state"] == "completed"
    shown = out(capsys, "runs", "show", "first")
    assert "convnet" in shown
    assert train_command(read_run(copied, TrainingRun).config) in shown
    assert json.loads(out(capsys, "runs", "show", copied.name, "--json"))["name"] == "first"
    out(capsys, "runs", "rename", "first", "second", "--notes", "better")
    assert (read_run(copied).name, read_run(copied).notes) == ("second", "better")
    assert main(["runs", "delete", "second"]) == 2
    assert "Nothing was deleted" in capsys.readouterr().err
    out(capsys, "runs", "delete", "second", "--keep-curves", "--yes")
    assert (copied / "metrics.jsonl").is_file()
    assert not list(copied.glob("last-*"))
    out(capsys, "runs", "delete", "second", "--yes")
    assert not copied.exists()
    assert "No runs yet" in out(capsys, "runs", "list")


def test_a_running_run_is_not_deleted(capsys: pytest.CaptureFixture[str], copied: Path) -> None:
    pretend_running(copied)
    with held(copied, "running"):
        assert main(["runs", "delete", "first", "--yes"]) == 2
        assert "Stop it before" in capsys.readouterr().err
    assert copied.exists()
