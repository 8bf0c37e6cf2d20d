"""The list of jobs: what has not changed is not read again, what has is."""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from cifar_core.runs import index
from cifar_core.runs.index import RunIndex
from cifar_core.runs.lifecycle import create_run, rename_run
from cifar_core.runs.states import RunState
from cifar_core.runs.store import LRTestRun, Run, TrainingRun, list_runs, read_run, unreadable
from cifar_core.system.files import write_json
from cifar_core.system.process_identity import own_identity
from tests.real_jobs import LR_REQUEST, REQUEST

ENDED: dict[str, Any] = {"phase": "ended", "outcome": "completed", "started": 1.0}


def ended_run(root: Path, name: str = "", request: Any = REQUEST, **status: Any) -> Path:
    run_dir = create_run(root, request, name)
    write_json(run_dir / "status.json", {**ENDED, "ended": time.time() + 60, **status})
    return run_dir


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were read."""
    seen: list[Path] = []

    def counted(path: Path, root: Path) -> Any:
        seen.append(path)
        return read_run(path, root=root)

    monkeypatch.setattr(index, "read_run", counted)
    return seen


def test_it_lists_what_reading_everything_lists(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        ended_run(tmp_path, name)
    ended_run(tmp_path, request=LR_REQUEST)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "request.json").write_text("{")
    known = RunIndex(tmp_path)
    for _ in range(2):
        for kind in (TrainingRun, LRTestRun, Run):
            assert known.now().runs(kind) == list_runs(tmp_path, kind)
        assert known.now().unreadable() == unreadable(tmp_path)
        assert [path.name for path, _ in known.now().unreadable()] == ["odd"]


def test_only_what_has_changed_is_read_again(tmp_path: Path, read: list[Path]) -> None:
    one, two = ended_run(tmp_path, "one"), ended_run(tmp_path, "two")
    known = RunIndex(tmp_path)
    known.now().runs()
    assert sorted(read) == sorted([one, two])
    read.clear()
    known.now().runs()
    assert read == []
    rename_run(read_run(one), "uno")
    assert {run.name for run in known.now().runs()} == {"uno", "two"}
    assert read == [one]
    write_json(two / "status.json", {**ENDED, "ended": time.time() + 60, "outcome": "failed"})
    assert {run.name: run.state for run in known.now().runs()}["two"] is RunState.FAILED
    shutil.rmtree(one)
    assert [run.name for run in known.now().runs()] == ["two"]
    third = ended_run(tmp_path, "three")
    assert [run.name for run in known.now().runs()] == ["three", "two"]
    assert read == [one, two, third]


def test_an_active_run_is_read_each_time(tmp_path: Path, read: list[Path]) -> None:
    run_dir = ended_run(tmp_path, "live", phase="running", outcome=None, ended=0.0)
    status = {"phase": "running", "worker": asdict(own_identity()), "updated": time.time() + 60}
    write_json(run_dir / "status.json", status)
    known = RunIndex(tmp_path)
    with FileLock(run_dir / "worker.lock"):
        for _ in range(3):
            assert known.now().runs()[0].state is RunState.RUNNING
    assert read == [run_dir] * 3
    write_json(run_dir / "status.json", {**status, **ENDED, "ended": time.time() + 60})
    assert known.now().runs()[0].state is RunState.COMPLETED


def test_a_run_is_trained_once_it_has_a_checkpoint(copied: Path) -> None:
    root = copied.parent
    ended_run(root, "begun")
    ended_run(root, request=LR_REQUEST)
    known = RunIndex(root)
    assert [run.name for run in known.now().trained()] == ["first"]
    for checkpoint in (p for role in ("best", "last", "epoch") for p in copied.glob(f"{role}-*")):
        shutil.move(checkpoint, root.parent / checkpoint.name)
    assert known.now().trained() == []


def test_what_a_run_occupies_stands_beside_it(tmp_path: Path) -> None:
    run_dir = ended_run(tmp_path, "one")
    known = RunIndex(tmp_path)
    (before,) = known.now().listed()
    (run_dir / "last-1").mkdir()
    (run_dir / "last-1" / "weights").write_bytes(bytes(5000))
    (after,) = known.now().listed()
    assert after.num_bytes - before.num_bytes == 5000
    assert asdict(after)["why"] == ""


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert RunIndex(tmp_path / "nowhere").now().runs() == []
