"""What several kinds of jobs do alike."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset, open_dataset
from cifar_core.errors import RunError
from cifar_core.records.records import StageRecord

if TYPE_CHECKING:
    from cifar_core.checkpoints.checkpoint import Checkpoint
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest, LRTestRequest, TrainRequest
    from cifar_core.runs.store import TrainingRun
    from cifar_core.system.progress import Progress

Subject = tuple["TrainingRun", TrainConfig, "Checkpoint", Dataset]


def requested_data(request: "TrainRequest | LRTestRequest") -> Dataset:
    """The data of a job.

    Raises:
        RunError: if they are no longer what they were at its start.
    """
    data = open_dataset(request.config.data)
    if request.fingerprint and request.fingerprint != data.fingerprint:
        raise RunError(f"{data.title} is not the data this run was started with. Start a new run.")
    return data


def subject_of(job: "JobContext", request: "AnalysisRequest") -> Subject:
    """The run and checkpoint that a request is about, and the data it was trained on.

    Raises:
        CifarCoreError: if they are gone, or the data are not those that are here now.
    """
    from cifar_core.checkpoints.checkpoint import find_checkpoint
    from cifar_core.runs.store import TrainingRun, find_run

    run = find_run(job.run_dir.parent, request.run, TrainingRun)
    checkpoint = find_checkpoint(run.path, request.checkpoint)
    data = open_dataset(run.config.data)
    if data.fingerprint != checkpoint.manifest.fingerprint:
        raise RunError(f"{data.title} is not the data that {run.name} was trained on.")
    return run, run.config, checkpoint, data


def record_progress(job: "JobContext", progress: "Iterable[Progress]") -> bool:
    """Records how far something is, a few times a second; False if it was stopped."""
    shown_at = 0.0
    for at in progress:
        if job.should_stop():
            return False
        if time.monotonic() - shown_at > 0.3 or at.done == at.total:
            job.record(StageRecord(**asdict(at)))
            shown_at = time.monotonic()
    return True
