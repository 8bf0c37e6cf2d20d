"""Which folders are jobs: one's own, those that came with the app, and none else."""

from pathlib import Path

import pytest

from cifar_core.runs.folders import all_run_dirs, epoch_files, run_dirs


def job(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "request.json").touch()
    return folder


def test_a_job_is_a_visible_folder_with_a_request(tmp_path: Path) -> None:
    assert run_dirs(tmp_path / "missing") == []
    one, two = job(tmp_path, "one"), job(tmp_path, "two")
    job(tmp_path, ".draft")
    job(tmp_path / "deeper", "three")
    (tmp_path / "empty").mkdir()
    (tmp_path / "request.json").touch()
    assert sorted(run_dirs(tmp_path)) == [one, two]
    assert run_dirs(tmp_path / "request.json") == []


def test_those_that_came_with_the_app_are_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, shipped = job(tmp_path / "runs", "own"), job(tmp_path / "shipped", "came")
    monkeypatch.setenv("CIFAR_SHIPPED", str(tmp_path / "shipped"))
    assert sorted(all_run_dirs(tmp_path / "runs")) == [own, shipped]
    assert all_run_dirs(tmp_path / "shipped") == [shipped]
    assert all_run_dirs(tmp_path / "missing") == [shipped]


def test_files_of_epochs_come_in_order_without_drafts(tmp_path: Path) -> None:
    assert epoch_files(tmp_path) == []
    (tmp_path / "epochs").mkdir()
    for name in ("00010.npz", "00002.npz", "00003.json", ".00004.npz.tmp", "x.npz"):
        (tmp_path / "epochs" / name).touch()
    assert [path.name for path in epoch_files(tmp_path)] == ["00002.npz", "00010.npz"]
