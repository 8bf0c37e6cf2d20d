"""What people change of runs: creating, stopping, deleting; what is refused."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from cifar_core.errors import RunError
from cifar_core.runs import lifecycle
from cifar_core.runs.lifecycle import create_run, delete_run, new_run_id, rename_run, request_stop
from cifar_core.runs.requests import AnalysisKind, AnalysisRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from cifar_core.system import locks
from cifar_core.system.files import read_json, write_json
from cifar_core.system.json_files import write_typed
from tests.real_jobs import CONFIG, REQUEST, ended_run, folders, held, new_run


def test_a_new_run_has_its_request_and_its_name(runs: Path) -> None:
    path = create_run(runs, REQUEST, " first ", "some notes")
    assert {p.name for p in path.iterdir()} == {"request.json", "name.json"}
    request = read_json(path / "request.json") or {}
    assert (request["kind"], request["run_id"], request["format"]) == ("train", path.name, 1)
    assert request["config"] == CONFIG.model_dump(mode="json")
    assert read_json(path / "name.json") == {"name": "first", "notes": "some notes"}
    assert folders(runs) == {path.name}


def test_without_a_name_a_run_is_called_by_its_id(runs: Path) -> None:
    assert read_run(path := new_run(runs)).name == path.name


def test_ids_are_utc_time_and_sort_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    text = new_run_id()
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", text)
    made = datetime.strptime(text[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    assert before <= made <= datetime.now(UTC)

    class Clock(datetime):
        seconds = 0

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            cls.seconds += 1
            return datetime(2026, 12, 31, 23, 59, 30, tzinfo=tz) + timedelta(seconds=cls.seconds)

    monkeypatch.setattr(lifecycle, "datetime", Clock)
    ids = [new_run_id() for _ in range(60)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 60


def test_an_id_drawn_twice_is_drawn_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(f"{number // 3:04x}" for number in range(1000))
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(draws))
    paths = {new_run(runs) for _ in range(3)}
    assert len(paths) == 3


@pytest.mark.parametrize("below", ["", "deeper", "much/deeper"])
def test_a_file_in_the_way_is_told_in_a_sentence(runs: Path, below: str) -> None:
    runs.write_text("in the way")
    with pytest.raises(RunError, match=r"cannot be written .* Choose another folder with --runs"):
        new_run(runs / below, "first")
    assert runs.read_text() == "in the way"


def test_a_full_disk_leaves_nothing_of_a_new_run(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, value: Any) -> None:
        if path.name == "name.json":
            raise OSError(28, "No space left on device")
        write_typed(path, value)

    monkeypatch.setattr(lifecycle, "write_typed", full)
    with pytest.raises(RunError, match=r"cannot be written \(No space left on device\)"):
        new_run(runs, "first")
    assert folders(runs) == set()
    monkeypatch.undo()
    assert read_run(new_run(runs, "first")).name == "first"


def test_a_lock_that_stays_taken_is_told_in_a_sentence(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.mkdir()
    monkeypatch.setattr(locks, "FileLock", lambda path, timeout: FileLock(path, timeout=0.05))
    with FileLock(runs / ".names.lock"), pytest.raises(RunError) as refused:
        new_run(runs, "first")
    assert "None" not in str(refused.value)


def test_stop_is_asked_for_once_or_twice(runs: Path) -> None:
    path = new_run(runs)
    with held(path, "running"):
        request_stop(read_run(path))
        assert read_run(path).state is RunState.STOPPING
        request_stop(read_run(path))
        assert read_run(path).state is RunState.STOPPING


@pytest.mark.parametrize("outcome", ["completed", "stopped", "failed"])
def test_an_ended_run_cannot_be_stopped(runs: Path, outcome: str) -> None:
    path = ended_run(runs, "first", outcome)
    with pytest.raises(RunError, match=f"first is not running; it is {outcome}"):
        request_stop(read_run(path))
    assert not (path / "stop").exists()


@pytest.mark.parametrize("keep_curves", [False, True])
@pytest.mark.parametrize("phase", ["queued", "running"])
def test_an_active_run_is_not_deleted(runs: Path, phase: str, keep_curves: bool) -> None:
    path = new_run(runs, "first")
    with held(path, phase), pytest.raises(RunError, match=f"first is {phase}. Stop it before"):
        delete_run(read_run(path), keep_curves)
    assert path.is_dir()


def with_checkpoints(path: Path) -> Path:
    for name in ("last-0000003", "last-0000006", "best-0000003"):
        role, step = name.split("-")
        (path / name).mkdir()
        (path / name / "weights.safetensors").write_bytes(b"weights")
        manifest = {"role": role, "step": int(step), "epoch": 1, "sha256": {}}
        write_json(path / name / "manifest.json", manifest)
    (path / "metrics.jsonl").write_text("kept")
    return path


def test_deleting_leaves_nothing_of_a_run(runs: Path) -> None:
    path, other = with_checkpoints(ended_run(runs, "first")), ended_run(runs, "other")
    delete_run(read_run(path))
    assert folders(runs) == {other.name}
    assert [run.name for run in list_runs(runs)] == ["other"]
    assert new_run(runs, "first").is_dir()


def test_deleting_a_run_takes_the_jobs_about_it_along(runs: Path) -> None:
    path, other = ended_run(runs, "one"), ended_run(runs, "two")

    def job(kind: AnalysisKind, run: Path) -> Path:
        request = partial(AnalysisRequest, kind=kind, run=run.name, checkpoint="best-1")
        return create_run(runs, request)

    about = [job("effect", path), job("road", path), job("report", path)]
    for folder in about:
        write_json(folder / "status.json", {"outcome": "completed"})
    kept = job("road", other)
    mentions = new_run(runs, "mentions", run=path.name)  # a training, whatever its request says
    write_json(mentions / "status.json", {"outcome": "completed"})
    write_json(kept / "status.json", {"outcome": "completed"})
    with held(about[2], "running"):
        (about[2] / "status.json").unlink()
        delete_run(read_run(path))
    assert folders(runs) == {other.name, kept.name, about[2].name, mentions.name}


def test_deleting_checkpoints_keeps_curves_and_notes(runs: Path) -> None:
    path = with_checkpoints(ended_run(runs, "first"))
    delete_run(read_run(path), keep_curves=True)
    kept = {"request.json", "name.json", "status.json", "metrics.jsonl"}
    assert {p.name for p in path.iterdir()} == kept
    assert read_run(path).state is RunState.COMPLETED
    delete_run(read_run(path), keep_curves=True)  # nothing left to do


@pytest.mark.parametrize("change", ["rename", "delete", "stop"])
def test_a_run_deleted_meanwhile_is_told_in_a_sentence(runs: Path, change: str) -> None:
    # As in a second tab that still shows it.
    path = new_run(runs, "first") if change == "stop" else ended_run(runs, "first")
    run = read_run(path)
    write_json(path / "status.json", {"outcome": "stopped"})
    delete_run(read_run(path))
    work = {
        "rename": lambda: rename_run(run, "second"),
        "delete": lambda: delete_run(run),
        "stop": lambda: request_stop(run),
    }
    with pytest.raises(RunError, match="first"):
        work[change]()
    assert folders(runs) == set()
