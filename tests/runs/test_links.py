"""Links and other strange things in and around a run's folder: nothing elsewhere is changed."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.errors import RunError
from cifar_core.jobs.launch import resume_run
from cifar_core.runs.lifecycle import delete_run
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import TrainingRun, list_runs, read_run, unreadable
from tests.real_jobs import rewrite, wait_for


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def linked(copied: Path, tmp_path: Path) -> Path:
    """A link among the runs to a run that lies elsewhere."""
    elsewhere = tmp_path / "elsewhere" / copied.name
    elsewhere.parent.mkdir()
    shutil.move(copied, elsewhere)
    link = copied.with_name("linked")
    link.symlink_to(elsewhere)
    return link


def test_deleting_a_linked_run_deletes_the_link_only(
    linked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = linked.resolve()
    before = content_of(target)
    assert main(["runs", "delete", "linked", "--yes"]) == 0
    assert f"the link to {target}; the files there stay" in capsys.readouterr().out
    assert content_of(target) == before
    assert [path for path in linked.parent.iterdir() if not path.name.endswith(".lock")] == []


def test_the_checkpoints_behind_a_link_stay(
    linked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content_of(linked.resolve())
    assert main(["runs", "delete", "linked", "--yes", "--keep-curves"]) == 2
    assert f"is a link to {linked.resolve()}" in capsys.readouterr().err
    assert content_of(linked.resolve()) == before


PLACES = (
    ".reserve",
    "worker.log",
    "metrics.jsonl",
    "status.json",
    "predictions",
    "epochs",
    "selections",
    "stop",
    "epochs/0001.npz",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_a_run_is_named_and_nothing_is_written_through_it(
    copied: Path, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(copied, copied.with_name("20200101-000000-0000"))
    rewrite(other, run_id=other.name)
    rewrite(other, "name.json", name="other")
    rewrite(copied, "status.json", outcome="stopped")
    run = read_run(copied, TrainingRun)
    target = tmp_path / "elsewhere"
    path = copied / place
    if path.is_dir():
        shutil.move(path, target)
    else:
        target.write_bytes(b"mine\n" * 2_000_000)
        path.unlink(missing_ok=True)
    path.symlink_to(target)
    before = content_of(tmp_path / "elsewhere") if target.is_dir() else target.read_bytes()
    told = f"{path.parent.name}/{path.name} is a link, not a regular file. Remove it."
    for command in (
        ["resume", copied.name],
        ["show", copied.name],
        ["delete", copied.name, "--yes"],
    ):
        assert main(["runs", *command]) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(RunError, match="is a link"):
        resume_run(run)
    with pytest.raises(RunError, match="is a link"):
        delete_run(run, keep_curves=True)
    assert [run.name for run in list_runs(copied.parent)] == ["other"]
    assert [path for path, _ in unreadable(copied.parent)] == [copied]
    after = content_of(tmp_path / "elsewhere") if target.is_dir() else target.read_bytes()
    assert after == before


@pytest.mark.parametrize("name", ["request.json", "worker.log", "metrics.jsonl", ".reserve"])
def test_a_fifo_is_named_and_nobody_waits_for_it(copied: Path, name: str) -> None:
    rewrite(copied, "status.json", outcome="stopped")
    run = read_run(copied, TrainingRun)
    (copied / name).unlink(missing_ok=True)
    os.mkfifo(copied / name)
    with pytest.raises(RunError, match=rf"{name} is a FIFO, not a regular file\. Remove it\."):
        read_run(copied)
    with pytest.raises(RunError, match=rf"{name} is a FIFO"):
        resume_run(run)


def test_a_folder_in_the_place_of_a_file_ends_the_job_with_its_name(copied: Path) -> None:
    rewrite(copied, "status.json", outcome="stopped")
    (copied / "metrics.jsonl").unlink()
    (copied / "metrics.jsonl").mkdir()
    resume_run(read_run(copied, TrainingRun))
    assert wait_for(copied, RunState.INTERRUPTED, RunState.FAILED)
    assert "metrics.jsonl is a folder, not a regular file" in log_tail(copied)


def test_new_files_of_a_run_are_readable_by_others_and_not_executable(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied / "metrics.jsonl").unlink()
    (copied / "worker.log").unlink()
    rewrite(copied, "status.json", outcome="stopped")
    before = os.umask(0)
    try:
        resume_run(read_run(copied, TrainingRun))
        wait_for(copied, RunState.COMPLETED)
    finally:
        os.umask(before)
    for name in ("metrics.jsonl", "worker.log"):
        assert stat.S_IMODE((copied / name).stat().st_mode) == 0o644
