"""Getting data: download, check, decode."""

from pathlib import Path
from typing import TYPE_CHECKING

from cifar_core.errors import DataError
from cifar_core.jobs.tasks.shared import record_progress
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import DataRequest


def get_data(job: "JobContext", request: "DataRequest") -> RunState:
    """Brings CIFAR-10 here from where the request says, and decodes it."""
    from cifar_core.data.download import download_cifar10, remove_downloaded
    from cifar_core.data.store import prepare
    from cifar_core.system.paths import cache_dir

    job.start()
    path = request.path or str(cache_dir() / "downloads")
    downloaded = request.origin != "folder"
    if downloaded and not record_progress(
        job, download_cifar10(Path(path), request.origin, request.mirror)
    ):
        return RunState.STOPPED
    try:
        done = record_progress(job, prepare(path, request.allow_modified))
    except DataError:
        if downloaded:  # whatever came was not CIFAR-10; kept, it would be in the way for ever
            remove_downloaded(Path(path), request.origin)
        raise
    return RunState.COMPLETED if done else RunState.STOPPED
