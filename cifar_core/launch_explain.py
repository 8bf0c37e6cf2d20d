"""Starts jobs that look at a trained model, each once."""

from collections.abc import Sequence
from pathlib import Path

from cifar_core.augment import AugmentSpec
from cifar_core.changes import create_run, delete_run
from cifar_core.checkpoint import find_checkpoint
from cifar_core.claims import one_at_a_time
from cifar_core.data.store import open_dataset
from cifar_core.errors import ConfigError
from cifar_core.launch import start_worker
from cifar_core.runs import Run, list_runs
from cifar_core.tables import examples_of


def launch_evaluation(root: Path, run: Run, checkpoint: str, split: str) -> Path:
    """Starts a job that fills the table of a checkpoint on a split, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint or split.
    """
    assert run.config is not None
    found = find_checkpoint(run.path, checkpoint)
    examples_of(open_dataset(run.config.data), run.config, split)
    with one_at_a_time(root, "launch"):
        earlier = evaluations(root, run, found.name, split)
        if active := [job for job in earlier if job.state.is_active]:
            return active[0].path
        for job in earlier:  # what they found lies with the run
            delete_run(job)
        values = {"run": run.run_id, "checkpoint": found.name, "split": split}
        run_dir = create_run(root, "evaluate", values)
        start_worker(run_dir)
    return run_dir


def launch_effect(root: Path, run: Run, checkpoint: str, spec: AugmentSpec) -> Path:
    """Starts a job that tries a spec on a checkpoint, or finds the one at work.

    Raises:
        CifarCoreError: if there is no such checkpoint, or nothing to try.
    """
    if not spec.pixel:
        raise ConfigError("There is no operation on single images to try. Add one.")
    found = find_checkpoint(run.path, checkpoint)
    with one_at_a_time(root, "launch"):
        jobs = list_runs(root, "effect")
        if (earlier := find_effect(jobs, run, found.name, spec)) and earlier.state.is_active:
            return earlier.path
        if earlier:
            delete_run(earlier)
        asked = spec.model_dump(mode="json")
        values = {"run": run.run_id, "checkpoint": found.name, "digest": spec.digest}
        values |= {"augment": asked}
        run_dir = create_run(root, "effect", values)
        start_worker(run_dir)
    return run_dir


def find_effect(jobs: Sequence[Run], run: Run, checkpoint: str, spec: AugmentSpec) -> Run | None:
    """The first of the jobs of this kind that tried a spec on a checkpoint, or is at it."""
    wanted = {"run": run.run_id, "checkpoint": checkpoint, "digest": spec.digest}
    return next((job for job in jobs if wanted.items() <= job.request.items()), None)


def evaluations(root: Path, run: Run, checkpoint: str, split: str) -> list[Run]:
    """The jobs that filled, or are to fill, a table; newest first."""
    wanted = {"run": run.run_id, "checkpoint": checkpoint, "split": split}
    return [job for job in list_runs(root, "evaluate") if wanted.items() <= job.request.items()]
