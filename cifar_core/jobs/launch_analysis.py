"""Starts jobs that look at a trained model, each once."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cifar_core.augment import AugmentSpec
from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data.store import open_dataset
from cifar_core.errors import ConfigError
from cifar_core.evaluation.predictions import eval_split
from cifar_core.jobs.launch import start_worker
from cifar_core.runs.lifecycle import create_run, remove_job
from cifar_core.runs.requests import AnalysisKind, AnalysisRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, Run, TrainingRun, list_runs
from cifar_core.system.locks import exclusive


def launch_evaluation(
    root: Path, run: TrainingRun, checkpoint: str, split: str, flip: bool = False
) -> Path:
    """Starts a job that fills the table of a checkpoint on a split, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint or split.
    """
    return _launch(root, "evaluate", run, checkpoint, split=split, flip=flip)


def launch_embedding(root: Path, run: TrainingRun, checkpoint: str, split: str) -> Path:
    """Starts a job that embeds the features of an evaluated split, or finds the one at work.

    Raises:
        CifarCoreError: as `launch_evaluation`.
    """
    return _launch(root, "embed", run, checkpoint, split=split)


def launch_road(root: Path, run: TrainingRun, checkpoint: str) -> Path:
    """Starts a job that ranks layers and methods by ROAD, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint.
    """
    return _launch(root, "road", run, checkpoint)


def launch_report(root: Path, run: TrainingRun, checkpoint: str) -> Path:
    """Starts a job that writes the report of a checkpoint, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint.
    """
    return _launch(root, "report", run, checkpoint)


def launch_effect(root: Path, run: TrainingRun, checkpoint: str, spec: AugmentSpec) -> Path:
    """Starts a job that tries a spec on a checkpoint, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint, or nothing to try.
    """
    if not spec.pixel:
        raise ConfigError("Add an operation on single images to measure its effect.")
    return _launch(root, "effect", run, checkpoint, augment=spec)


def _launch(
    root: Path, kind: AnalysisKind, run: TrainingRun, checkpoint: str, **details: Any
) -> Path:
    """The folder of the job that was asked the same and is at work, or of a new one.

    Args:
        details: Other fields of the request.
    """
    name = find_checkpoint(run.path, checkpoint).name
    if "split" in details:
        eval_split(open_dataset(run.config.data), run.config, details["split"])
    request = partial(AnalysisRequest, kind=kind, run=run.run_id, checkpoint=name, **details)
    with exclusive(root, "launch"):
        earlier = jobs_on(list_runs(root, AnalysisJob), kind, run, name, **details)
        if active := [job for job in earlier if job.state.is_active]:
            return active[0].path
        done = [job for job in earlier if job.state is RunState.COMPLETED]
        for job in (job for job in earlier if not job.is_shipped):
            # A report stays until the next one is there.
            if kind != "report" or job not in done[:1]:
                remove_job(job)
        run_dir = create_run(root, request)
        start_worker(run_dir)
    return run_dir


def jobs_on(
    jobs: Sequence[AnalysisJob], kind: AnalysisKind, run: Run, checkpoint: str, **details: Any
) -> list[AnalysisJob]:
    """Those of the jobs that were asked exactly this, in their order.

    Args:
        checkpoint: Its name.
        details: Other fields of the request.
    """
    request = partial(AnalysisRequest, kind=kind, run=run.run_id, checkpoint=checkpoint, **details)
    return [job for job in jobs if request(run_id=job.run_id, created=job.created) == job.request]
