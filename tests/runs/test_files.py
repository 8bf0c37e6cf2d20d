"""Whatever lies in a run's folder: it fits its type, or one sentence names it, and lists go on."""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.cli.output import describe
from cifar_core.errors import RunError
from cifar_core.records import layout
from cifar_core.records.records import read_metrics
from cifar_core.runs.files import read_name, read_status, read_stop
from cifar_core.runs.index import RunIndex
from cifar_core.runs.lifecycle import stopping_s
from cifar_core.runs.pace import run_pace
from cifar_core.runs.requests import read_request
from cifar_core.runs.states import last_start
from cifar_core.runs.store import Run, TrainingRun, find_run, list_runs, read_run
from cifar_core.system.memory import low_memory
from tests.apptest import app
from tests.json_changes import VALUES, changed, paths_of
from tests.real_jobs import new_run

FILES = (layout.REQUEST, layout.STATUS, layout.START, layout.NAME, layout.STOP, layout.MEMORY)


def read_all(run_dir: Path) -> Run:
    """Everything that pages and commands read of a run, and what they compute from it."""
    run = read_run(run_dir)
    describe(run)
    assert run.took_s is None or run.took_s < 1e12
    assert stopping_s(run) >= 0
    assert f"{run.created:%Y-%m-%d %H:%M} {run.state} {run.reason} {run.data_title}"
    if isinstance(run, TrainingRun):
        run_pace(run, read_metrics(run_dir / layout.METRICS))
        assert run.best_acc is None or f"{run.best_acc:.2%}"
    return run


def refused(run_dir: Path) -> str:
    """The sentence with which a run is refused; empty if it reads."""
    try:
        read_all(run_dir)
    except RunError as error:
        return str(error)
    return ""


@pytest.fixture
def damaged(copied: Path) -> Path:
    """A finished run that has every file of a run's folder, beside a healthy one."""
    new_run(copied.parent, "healthy")
    (copied / layout.STOP).write_text('{"requested": 1000.5, "forced": null}')
    (copied / layout.MEMORY).write_text('{"left": 5, "total": 100, "time": 1000.5}')
    return copied


@pytest.mark.parametrize("file", FILES)
def test_any_value_of_any_file_fits_or_is_told_and_nothing_else_breaks(
    damaged: Path, file: str
) -> None:
    path, index = damaged / file, RunIndex(damaged.parent)
    content = path.read_text(encoding="utf-8")
    told = 0
    for place in paths_of(json.loads(content)):
        for text in (None, *VALUES):
            path.write_text(changed(content, place, text), encoding="utf-8")
            os.utime(damaged)
            where = f"{place} = {(text or 'nothing')[:40]}"
            if sentence := refused(damaged):
                told += 1
                assert file in sentence, where
                assert len(sentence) < 600, where
        assert "healthy" in {run.name for run in list_runs(damaged.parent)}, place
        assert find_run(damaged.parent, "healthy").name == "healthy", place
        assert "healthy" in {run.name for run in index.now().runs()}, place
    assert told or file == layout.MEMORY  # that one is read only of a run whose worker vanished


PUT: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "folder": Path.mkdir,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "200 MB": lambda path: (path.touch(), os.truncate(path, 200_000_000)),
    "100,000 brackets": lambda path: path.write_text("[" * 100_000),
    "a list": lambda path: path.write_text("[]"),
    "nothing": lambda path: path.write_text(""),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
}
READ: dict[str, Callable[[Path], object]] = {
    layout.REQUEST: read_request,
    layout.STATUS: read_status,
    layout.START: lambda run_dir: last_start(run_dir, read_run(run_dir).created),
    layout.NAME: read_name,
    layout.STOP: read_stop,
    layout.MEMORY: lambda run_dir: low_memory(run_dir / layout.MEMORY, 0.0),
}


@pytest.mark.parametrize("file", FILES)
def test_what_is_no_small_file_of_json_is_told_at_once(damaged: Path, file: str) -> None:
    path = damaged / file
    for what, put in PUT.items():
        path.unlink()
        put(path)
        with pytest.raises(RunError, match=rf"{file} is (damaged|a )"):
            READ[file](damaged)
        assert "healthy" in {run.name for run in list_runs(damaged.parent)}, what
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_text("{}")


def test_pages_and_commands_go_on_beside_damaged_runs(damaged: Path) -> None:
    root = damaged.parent
    broken: list[Path] = []
    for n, (file, what) in enumerate((f, w) for f in (layout.REQUEST, layout.STATUS) for w in PUT):
        copy = Path(shutil.copytree(damaged, root / f"20260101-0000{n:02}-dead"))
        (copy / file).unlink()
        PUT[what](copy / file)
        broken.append(copy)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        assert main(["runs", "list"]) == 0
    for copy in broken[len(PUT) :]:
        assert copy.name in out.getvalue()
    assert "healthy" in out.getvalue()
    for page in ("home", "runs", "train", "evaluation", "compare"):
        assert not app(page).exception, page
