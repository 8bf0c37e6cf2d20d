"""What the app and the command line may change of a job: create, name, stop, delete."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from cifar_core.checkpoints.checkpoint import list_checkpoints, remove_checkpoints
from cifar_core.errors import RunError
from cifar_core.records import layout
from cifar_core.runs.files import NameNote, StopRequest, read_stop
from cifar_core.runs.folders import epoch_files, run_dirs
from cifar_core.runs.names import check_name, free_name
from cifar_core.runs.requests import Request
from cifar_core.runs.states import find_worker, last_start
from cifar_core.runs.store import AnalysisJob, Run, read_run
from cifar_core.system.json_files import write_typed
from cifar_core.system.locks import ELSEWHERE, exclusive

FORCE_AFTER_S = 10.0


def new_run_id() -> str:
    """UTC time and four random hex digits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def create_run(
    root: Path,
    request: Callable[..., Request],
    name: str = "",
    notes: str = "",
    stem: str = "",
    after: Path | None = None,
) -> Path:
    """Claims a folder and writes the request; the folder appears whole or not at all.

    Args:
        request: A type of `runs.files` that lacks only `run_id` and `created`.
        stem: Without a name, the run is called by it and the next free number.
        after: Folder of a run whose checkpoints and records the new one begins with.

    Raises:
        RunError: if the name is taken or unfit, or the folder cannot be written.
    """
    with exclusive(root, "names"):
        name = check_name(root, name) if name else free_name(root, stem) if stem else ""
        run_id = next(i for _ in range(100) if not (root / (i := new_run_id())).exists())
        draft = root / f".draft-{run_id}"
        try:
            draft.mkdir()
            write_typed(draft / layout.REQUEST, request(run_id=run_id, created=datetime.now(UTC)))
            write_typed(draft / layout.NAME, NameNote(name or run_id, notes))
            if after:
                _inherit(draft, after)
            draft.replace(root / run_id)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise RunError(f"{root} cannot be written ({error.strerror}). {ELSEWHERE}") from None
    return root / run_id


def _inherit(draft: Path, after: Path) -> None:
    """Files are linked where the file system can: they are replaced, never changed."""
    shutil.copyfile(after / layout.METRICS, draft / layout.METRICS)
    kept = [file for checkpoint in list_checkpoints(after) for file in checkpoint.path.iterdir()]
    for file in (*kept, *epoch_files(after)):
        target = draft / file.relative_to(after)
        target.parent.mkdir(exist_ok=True)
        try:
            target.hardlink_to(file)
        except OSError:
            shutil.copyfile(file, target)


@contextlib.contextmanager
def _writing(run: Run) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{run.path} cannot be changed ({error.strerror}). Fix its permissions and try again."
        ) from None


def check_there(run: Run) -> None:
    """Raises a RunError if the folder of a run is gone."""
    if not run.path.is_dir():
        raise RunError(f"{run.name} was deleted in the meantime. Reload the list of runs.")


def check_own(run: Run, done: str) -> None:
    """Raises a RunError if a run came with the package, where nothing can be done to it."""
    if run.is_shipped:
        raise RunError(
            f"{run.name} came with the app and cannot be {done}. Duplicate it, or fine-tune from "
            "it: that is a run of your own."
        )


def rename_run(run: Run, name: str | None = None, notes: str | None = None) -> None:
    """Changes the name or the notes.

    Raises:
        RunError: as `check_name`; or if it came with the package.
    """
    check_own(run, "renamed")
    with exclusive(run.path.parent, "names"):
        check_there(run)
        if name is not None:
            name = check_name(run.path.parent, name, but=run.run_id)
        new_notes = run.notes if notes is None else notes
        with _writing(run):
            write_typed(run.path / layout.NAME, NameNote(name or run.name, new_notes))


def request_stop(run: Run) -> None:
    """Asks the worker to finish its batch, keep a checkpoint and end; asking again is harmless.

    Raises:
        RunError: if the run has ended already.
    """
    check_there(run)
    if not run.state.is_active:
        raise RunError(f"{run.name} is not running; it is {run.state}.")
    with _writing(run):
        if not (run.path / layout.STOP).exists():
            write_typed(run.path / layout.STOP, StopRequest(time.time()))


def stopping_s(run: Run) -> float:
    """Seconds since the run was asked to stop; 0 if it was not."""
    stop = read_stop(run.path)
    return max(time.time() - stop.requested, 0.0) if stop else 0.0


def force_stop(run: Run) -> None:
    """Ends the process of a run that was asked to stop and does not.

    No other process is ever touched: it is found by pid and start time.

    Raises:
        RunError: if it was not asked, not long enough ago, or its process cannot be told.
    """
    check_there(run)
    now = read_run(run.path)
    if not now.state.is_active:
        raise RunError(f"{run.name} is not running; it is {now.state}.")
    waited = stopping_s(now)
    if waited < FORCE_AFTER_S:
        raise RunError(
            f"Stop {run.name} first and give it {FORCE_AFTER_S:.0f} s to finish its batch; "
            f"{waited:.0f} s have passed. Wait a moment."
        )
    process = find_worker(now.status, last_start(run.path, run.created))
    if process is None:
        raise RunError(f"The process of {run.name} could not be identified; nothing was killed.")
    with _writing(run):
        stop = StopRequest(requested=time.time() - waited, forced=time.time())
        write_typed(run.path / layout.STOP, stop)
    with contextlib.suppress(psutil.Error):  # it ended meanwhile
        for child in process.children(recursive=True):
            child.kill()
        process.kill()


def what_is_deleted(run: Run, keep_curves: bool = False) -> str:
    """What `delete_run` deletes, to be read before and after it."""
    if run.path.is_symlink():
        return f"the link to {run.path.resolve()}; the files there stay"
    return "its checkpoints" if keep_curves else "it and all its files"


def delete_run(run: Run, keep_curves: bool = False) -> None:
    """Deletes a job and the jobs about it, or only its checkpoints; of a linked one, the link.

    Raises:
        RunError: if it is running, came with the package, or is a link whose checkpoints belong
            elsewhere.
    """
    check_own(run, "deleted")
    with exclusive(run.path.parent, "launch"):  # nobody resumes it meanwhile
        check_there(run)
        now = read_run(run.path)
        if now.state.is_active:
            raise RunError(f"{run.name} is {now.state}. Stop it before deleting it.")
        linked = run.path.is_symlink()
        if keep_curves and linked:
            raise RunError(
                f"{run.name} is a link to {run.path.resolve()}. Delete the checkpoints there."
            )
        if keep_curves:
            with _writing(run):
                remove_checkpoints(run.path)
        else:
            remove_job(run)
            if not linked:
                _remove_jobs_about(run)


def _remove_jobs_about(run: Run) -> None:
    """Rankings, reports and the like of a run that is gone."""
    for path in run_dirs(run.path.parent):
        with contextlib.suppress(RunError):
            about = read_run(path)
            is_about = isinstance(about, AnalysisJob) and about.request.run == run.run_id
            if is_about and not about.state.is_active:
                remove_job(about)


def remove_job(run: Run) -> None:
    """Deletes one job that nobody works on; whoever calls this holds the lock "launch".

    Raises:
        RunError: if its folder cannot be changed.
    """
    doomed = run.path.with_name(f".doomed-{run.run_id}")
    with _writing(run):
        if run.path.is_symlink():
            run.path.unlink()
            return
        run.path.replace(doomed)  # it leaves the list at once, whatever the deletion meets
    shutil.rmtree(doomed, ignore_errors=True)
