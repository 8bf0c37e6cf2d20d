"""A full disk harms nothing that is written; a start that would fill it is refused."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.errors import RunError
from cifar_core.forecast import disk_space
from cifar_core.jobs.launch import launch_training, resume_run
from cifar_core.records.records import read_metrics
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun, list_runs, read_run, unreadable
from tests.real_jobs import small, wait_for
from tests.reliability.plain import PlainServer, figures_of, newest_value, plain_config, value_of
from tests.reliability.report import Tally

pytestmark = pytest.mark.usefixtures("plain")
CONFIG = plain_config(epochs=8, step_s=0.0, keep_epochs=8)
ENDS = (RunState.COMPLETED, RunState.FAILED, RunState.INTERRUPTED)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    place = tmp_path / "volume"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start does not ask for the room that it will be short of."""
    monkeypatch.setattr(disk_space, "MARGIN", -(10**9))


def assert_whole(run: Run) -> None:
    """All that is listed is whole, and the list opens."""
    epochs = [e.epoch for e in read_metrics(run.path / "metrics.jsonl").epochs]
    assert epochs == list(range(1, len(epochs) + 1))
    for checkpoint in list_checkpoints(run.path):
        value_of(checkpoint)
    assert run.run_id in [r.run_id for r in list_runs(run.path.parent)]
    assert unreadable(run.path.parent) == []


def assert_twin(run: Run) -> bool:
    """Whether it ended as if nothing had happened."""
    value, figures = figures_of(CONFIG)
    epochs = read_metrics(run.path / "metrics.jsonl").epochs
    return newest_value(run.path) == value and [e.test_acc for e in epochs] == figures


@pytest.mark.usefixtures("little_room")
def test_a_full_volume_ends_a_run_and_harms_nothing(volume: Path, tally: Tally) -> None:
    chance, good, done = random.Random(4), 0, 0
    times = tally.times(4, 50)
    while done < times:
        root = volume / "runs"
        root.mkdir()
        ballast = volume / "ballast"
        room = chance.randrange(100_000, 900_000)
        ballast.write_bytes(bytes(shutil.disk_usage(volume).free - room))
        run = wait_for(launch_training(root, CONFIG), *ENDS, kind=TrainingRun)
        if run.state is not RunState.COMPLETED:
            done += 1
            named = run.state is RunState.FAILED and f"The disk of {root} is full" in run.reason
            ballast.unlink(missing_ok=True)
            shutil.copytree(run.path, volume / "copy")  # what a reader has seen then
            assert_whole(run)
            resume_run(run)
            good += named and assert_twin(wait_for(run.path, RunState.COMPLETED))
        shutil.rmtree(root)
        shutil.rmtree(volume / "copy", ignore_errors=True)
        ballast.unlink(missing_ok=True)
    what = "a tmpfs that fills up at a random moment: reported, nothing lost, resumable"
    tally.note("R15", what, good, times)


@pytest.mark.usefixtures("little_room")
def test_the_list_of_runs_opens_without_a_byte_free(volume: Path) -> None:
    root = volume / "runs"
    run = wait_for(launch_training(root, CONFIG), RunState.COMPLETED)
    with pytest.raises(OSError, match="No space left"):
        (volume / "ballast").write_bytes(bytes(10**7))
    assert shutil.disk_usage(volume).free == 0
    assert_whole(run)
    with pytest.raises(RunError, match="No space left"):
        launch_training(root, CONFIG)
    assert [r.run_id for r in list_runs(root)] == [run.run_id]
    assert {p.name for p in root.iterdir() if p.is_dir()} == {run.run_id}


@pytest.mark.usefixtures("little_room")
def test_a_limit_on_files_ends_a_run_and_harms_nothing(
    runs: Path, plain: PlainServer, tally: Tally
) -> None:
    """RLIMIT_FSIZE: the file that grows beyond it cannot be written further."""
    chance, good = random.Random(5), 0
    times = tally.times(4, 50)
    for _ in range(times):
        plain.fault = {"limits": {"RLIMIT_FSIZE": chance.randrange(70_000, 50_000_000, 7)}}
        if chance.random() < 0.9:
            plain.fault = {"limits": {"RLIMIT_FSIZE": chance.randrange(1500, 50_000)}}
        run = wait_for(launch_training(runs, CONFIG), *ENDS, kind=TrainingRun)
        plain.fault = {}
        assert_whole(run)
        named = run.state is RunState.COMPLETED or "is full" in run.reason
        if run.state.can_resume:
            resume_run(run)
        good += named and assert_twin(wait_for(run.path, RunState.COMPLETED))
    tally.note(
        "R15", "RLIMIT_FSIZE of a random size: reported, nothing lost, resumable", good, times
    )


def test_start_refuses_what_will_not_fit_and_leaves_nothing(volume: Path) -> None:
    for model in ("convnet", "resnet18"):
        with pytest.raises(RunError) as refused:
            launch_training(volume / "runs", small(model=model))
        assert str(volume) in str(refused.value)
        assert "has 4 MB free, but this run needs" in str(refused.value)
    assert "603 MB" in str(refused.value)
    assert list_runs(volume / "runs") == []
    assert [p for p in (volume / "runs").iterdir() if p.is_dir()] == []


def test_what_a_run_is_said_to_need_is_what_it_takes(runs: Path, finished: Path) -> None:
    run = read_run(finished, TrainingRun)
    taken = sum(
        file.stat().st_size for c in list_checkpoints(finished) for file in c.path.iterdir()
    )
    epochs = [file.stat().st_size for file in epoch_files(finished)]
    assert len(epochs) == run.config.epochs
    size = disk_space.EPOCH_BYTES * 2_000 / 10_000  # Shapes-10 has fewer test images than CIFAR-10
    assert epochs == pytest.approx([size] * len(epochs), rel=0.05)
    said = disk_space.run_bytes(run.config) - len(epochs) * disk_space.EPOCH_BYTES
    assert taken == pytest.approx(said, rel=0.05)
