"""Runs on disk: found, listed, and survived when they are damaged."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cifar_core.errors import RunError
from cifar_core.records.records import EpochRecord
from cifar_core.runs.files import Status
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import (
    DataJob,
    Run,
    TrainingRun,
    disk_bytes,
    find_run,
    list_runs,
    read_run,
)
from cifar_core.system import json_files
from tests.builders import FIGURES
from tests.real_jobs import CONFIG, DOWNLOAD, REQUEST, ago, new_run, rewrite


def test_a_run_reads_as_it_was_created(runs: Path) -> None:
    path = new_run(runs, "first")
    run = read_run(path, TrainingRun)
    assert (run.run_id, run.path, run.kind, run.name) == (path.name, path, "train", "first")
    assert run.config == CONFIG
    assert (run.notes, run.reason, run.status) == ("", "", Status())
    assert abs(run.created - datetime.now(UTC)) < timedelta(seconds=20)


def test_runs_are_found_by_id_and_by_name(runs: Path) -> None:
    first, second = new_run(runs, "first"), new_run(runs, "second one")
    assert find_run(runs, "second one").path == second
    assert find_run(runs, second.name).path == second
    assert find_run(runs, "first").path == first


def test_an_unknown_run_is_told_with_those_that_are_known(runs: Path) -> None:
    for text in ("x", "x" * 300, "../x", "x\0"):
        with pytest.raises(RunError, match=r"^There is no run .* Known: none yet; start") as caught:
            find_run(runs, text)
        assert str(runs) not in str(caught.value), "a visitor need not know where the runs are"
    for name in ("beta", "alpha"):
        new_run(runs, name)
    create_run(runs, DOWNLOAD, "a download")
    with pytest.raises(RunError, match="Known: alpha, beta"):
        find_run(runs, "x", TrainingRun)
    with pytest.raises(RunError, match="Known: a download, alpha, beta"):
        find_run(runs, "x")


def test_lists_are_newest_first_and_of_one_kind(runs: Path) -> None:
    paths = [new_run(runs, f"run {n}", created=ago(100 - n)) for n in range(5)]
    download = create_run(runs, DOWNLOAD)
    assert [run.path for run in list_runs(runs)] == paths[::-1]
    assert [run.path for run in list_runs(runs, Run)] == [download, *paths[::-1]]
    assert [run.path for run in list_runs(runs, DataJob)] == [download]
    assert isinstance(read_run(download), DataJob)
    with pytest.raises(RunError, match="is a job of kind 'data'"):
        read_run(download, TrainingRun)


def test_a_folder_that_is_not_there_lists_nothing(runs: Path) -> None:
    assert list_runs(runs) == []
    runs.write_text("a file in the way")
    assert list_runs(runs) == []


HURTS: dict[str, Callable[[Path], object]] = {
    "no request": lambda p: (p / "request.json").unlink(),
    "torn request": lambda p: (p / "request.json").write_text('{"kind": "tr'),
    "request is a list": lambda p: (p / "request.json").write_text("[]"),
    "request is a folder": lambda p: ((p / "request.json").unlink(), (p / "request.json").mkdir()),
    "empty request": lambda p: (p / "request.json").write_text("{}"),
    "no config": lambda p: rewrite(p, config=None),
    "config is a list": lambda p: rewrite(p, config=[]),
    "unknown setting": lambda p: rewrite(p, config={"of_tomorrow": 1}),
    "wrong type of a setting": lambda p: rewrite(p, config={"epochs": "many"}),
    "unknown augmentation": lambda p: rewrite(p, config={"augment": "of tomorrow"}),
    "created is no time": lambda p: rewrite(p, created="yesterday"),
    "created is a number": lambda p: rewrite(p, created=5),
    "an empty folder": lambda p: (shutil.rmtree(p), p.mkdir()),
    "a file": lambda p: (shutil.rmtree(p), p.write_text("no folder")),
    "a dangling link": lambda p: (shutil.rmtree(p), p.symlink_to("nowhere")),
}
# These spare the request; the run may be listed, but nothing may break.
SCRATCHES: dict[str, Callable[[Path], object]] = {
    "created without a zone": lambda p: rewrite(p, created="2026-01-01T00:00:00"),
    "torn status": lambda p: (p / "status.json").write_text('{"phase": '),
    "unknown outcome": lambda p: rewrite(p, "status.json", outcome="of tomorrow"),
    "outcome is a list": lambda p: rewrite(p, "status.json", outcome=["failed"]),
    "worker is a text": lambda p: rewrite(p, "status.json", worker="me"),
    "worker is null": lambda p: rewrite(p, "status.json", worker=None),
    "pid is a text": lambda p: rewrite(p, "status.json", worker={"pid": "x", "create_time": 1}),
    "no start time": lambda p: rewrite(p, "status.json", worker={"pid": 2**31 - 1}),
    "start time is a text": lambda p: rewrite(
        p, "status.json", worker={"pid": 2**31 - 1, "create_time": "x"}
    ),
    "huge pid": lambda p: rewrite(p, "status.json", worker={"pid": 2**70, "create_time": 1}),
    "negative pid": lambda p: rewrite(p, "status.json", worker={"pid": -1, "create_time": 1}),
    "name is a number": lambda p: rewrite(p, "name.json", name=5),
    "name is a list": lambda p: rewrite(p, "name.json", name=[]),
    "torn name": lambda p: (p / "name.json").write_text("{"),
    "lock is a folder": lambda p: (p / "worker.lock").mkdir(),
    "best is a text": lambda p: rewrite(p, "status.json", best="first", last=[]),
}


@pytest.mark.parametrize("hurt", HURTS.values(), ids=HURTS)
def test_a_damaged_folder_is_left_out_and_told_when_asked_for(
    runs: Path, hurt: Callable[[Path], object]
) -> None:
    healthy = [new_run(runs, f"run {n}") for n in range(2)]
    damaged = new_run(runs, "damaged")
    hurt(damaged)
    assert {run.path for run in list_runs(runs, Run)} == set(healthy)
    assert find_run(runs, "run 1").path == healthy[1]
    with pytest.raises(RunError, match=damaged.name):
        find_run(runs, damaged.name)
    with pytest.raises(RunError, match=damaged.name):
        read_run(damaged)
    assert new_run(runs, "one more").is_dir()


@pytest.mark.parametrize("scratch", SCRATCHES.values(), ids=SCRATCHES)
def test_a_scratched_folder_breaks_no_list(runs: Path, scratch: Callable[[Path], object]) -> None:
    healthy = [new_run(runs, f"run {n}") for n in range(2)]
    scratch(new_run(runs, "scratched", created=ago(100)))
    listed = list_runs(runs)
    assert set(healthy) <= {run.path for run in listed}
    assert all(run.best_acc is None and run.name for run in listed)
    with pytest.raises(RunError, match=r"Known: .*run 0"):
        find_run(runs, "unknown")
    assert find_run(runs, "run 1").path == healthy[1]


def test_best_accuracy_is_that_of_validation_else_of_test() -> None:
    request = REQUEST(run_id="id", created=datetime.now(UTC))

    def best_of(**status: Any) -> float | None:
        state, values = RunState.RUNNING, Status(**status)
        path = Path("id")
        return TrainingRun(path, "a", "", state, "", request, values, path).best_acc

    def figures(val_acc: float | None, test_acc: float) -> EpochRecord:
        return replace(FIGURES, val_acc=val_acc, test_acc=test_acc)

    assert best_of() is None
    assert best_of(best=figures(0.5, 0.4), last=figures(0.1, 0.9)) == 0.5
    assert best_of(best=None, last=figures(None, 0.4)) == 0.4
    assert best_of(best=figures(0.0, 0.4)) == 0.0


def test_disk_bytes_counts_all_files_of_a_run(runs: Path) -> None:
    path = new_run(runs)
    before = disk_bytes(read_run(path))
    (path / "last-0000001").mkdir()
    (path / "last-0000001" / "weights").write_bytes(bytes(12_345))
    assert disk_bytes(read_run(path)) == before + 12_345


def test_the_log_of_a_run_is_its_last_lines(runs: Path) -> None:
    path = new_run(runs)
    run = read_run(path)
    assert log_tail(run.path) == ""
    (path / "worker.log").write_text("one\ntwo\nthree\n")
    assert log_tail(run.path) == "one\ntwo\nthree"
    assert log_tail(run.path, 2) == "two\nthree"
    with (path / "worker.log").open("w") as stream:
        stream.writelines(f"line {n}: äöü\n" for n in range(500_000))
    assert log_tail(run.path).splitlines() == [f"line {n}: äöü" for n in range(499_970, 500_000)]


def test_a_log_of_one_endless_line_or_of_no_text_is_no_trouble(runs: Path) -> None:
    path = new_run(runs)
    (path / "worker.log").write_bytes(b"\xff" * 1_000_000)
    assert 0 < len(log_tail(path)) <= 20_000


def test_a_request_is_json_that_names_its_format(runs: Path) -> None:
    path = new_run(runs, "first")
    request = json.loads((path / "request.json").read_text())
    assert request["format"] == 1
    assert request["run_id"] == path.name
    assert request["config"] == CONFIG.model_dump(mode="json")


def test_a_run_that_is_read_again_builds_nothing_again(copied: Path) -> None:
    """What checks a type takes 25 ms to build; a list of runs would take seconds."""
    read_run(copied)
    built = json_files._adapter.cache_info().misses
    for _ in range(3):
        read_run(copied)
    assert json_files._adapter.cache_info().misses == built


@pytest.mark.parametrize("text", ["x" * 300, "[" * 10_000, "a\0b", "\ud83d", "..", ""])
def test_what_is_no_name_of_a_file_is_no_run(runs: Path, text: str) -> None:
    new_run(runs, "known")
    with pytest.raises(RunError, match="There is no run"):
        find_run(runs, text)
