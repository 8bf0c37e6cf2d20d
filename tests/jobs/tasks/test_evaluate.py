"""Evaluation by a real worker: the table equals the curve, and every other end says why."""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.checkpoints.checkpoint import find_checkpoint, read_checkpoint
from cifar_core.checkpoints.manifest import sum_of
from cifar_core.cli.main import main
from cifar_core.data import open_dataset
from cifar_core.errors import CheckpointError, CifarCoreError, ConfigError
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.predictions import (
    eval_split,
    has_predictions,
    predictions_path,
)
from cifar_core.evaluation.predictor import predict_split
from cifar_core.jobs.launch import start_worker
from cifar_core.jobs.launch_analysis import jobs_on, launch_evaluation
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import create_run, delete_run
from cifar_core.runs.requests import AnalysisRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, Run, TrainingRun, list_runs, read_run
from cifar_core.system.files import read_json, write_json
from cifar_core.system.json_files import write_typed
from cifar_core.system.locks import device_lock
from tests.real_jobs import held, pretend_running, wait_for

ENDED = (RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the workers: beside other work, a second thread costs much at this size."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def launch(run_dir: Path, checkpoint: str = "best", split: str = "test") -> Path:
    return launch_evaluation(run_dir.parent, read_run(run_dir, TrainingRun), checkpoint, split)


def launched(run_dir: Path, checkpoint: str = "best", split: str = "test") -> Run:
    """The job at its end."""
    return wait_for(launch(run_dir, checkpoint, split), *ENDED)


def tables(run_dir: Path) -> list[str]:
    return sorted(path.name for path in run_dir.glob("tables/*"))


def jobs(run_dir: Path) -> list[Run]:
    return list_runs(run_dir.parent, AnalysisJob)


def computed(run_dir: Path, split: str) -> NDArray[np.float32]:
    """The log-probabilities of the best checkpoint, by this process."""
    run, best = read_run(run_dir, TrainingRun), find_checkpoint(run_dir)
    examples = eval_split(open_dataset("shapes10"), run.config, split)
    log_probs = np.empty((len(examples.labels), 10), np.float32)
    done = [progress.done for progress in predict_split(best, run.config, examples, log_probs)]
    assert done[-1] == len(examples.labels)
    return log_probs


@pytest.mark.parametrize(("split", "total"), [("test", 2000), ("val", 256)])
def test_the_table_says_what_the_curve_says(copied: Path, split: str, total: int) -> None:
    job = launched(copied, split=split)
    assert (job.state, job.reason) == (RunState.COMPLETED, "")
    run, best = read_run(copied, TrainingRun), find_checkpoint(copied)
    table = load_predictions(run, best.name, split)
    recorded = read_metrics(copied / "metrics.jsonl").epochs[best.epoch - 1]
    assert recorded.epoch == best.epoch
    expected = computed(copied, split)
    assert table.log_probs == pytest.approx(expected, abs=4e-3)  # float16
    assert table.losses.mean() == pytest.approx(getattr(recorded, f"{split}_loss"), abs=1e-3)
    weights = hashlib.sha256((best.path / "weights.safetensors").read_bytes()).hexdigest()
    note = table.note
    assert (note.run, note.data, note.split) == (run.run_id, "Shapes-10", split)
    assert (note.weights, note.checkpoint, note.epoch) == (weights, best.name, best.epoch)
    stages = read_metrics(job.path / "metrics.jsonl").stages
    assert [at.done for at in stages] == sorted({at.done for at in stages})
    assert (stages[-1].done, stages[-1].total) == (total, total)
    assert {(at.stage, at.unit) for at in stages} == {(f"Evaluating {split}", "images")}
    assert table.predicted.tolist() == expected.argmax(axis=1).tolist()
    assert table.acc == pytest.approx(getattr(recorded, f"{split}_acc"), abs=1e-6)


def test_one_job_at_a_time_fills_a_table(copied: Path) -> None:
    first = launch(copied)
    assert launch(copied) == first  # while it starts
    assert launch(copied, find_checkpoint(copied).name) == first  # by name it is the same
    wait_for(first, RunState.COMPLETED)
    pretend_running(first)
    with held(first, "running"):
        assert launch(copied) == first
        other = launch(copied, split="val")
        assert other != first
    wait_for(other, RunState.COMPLETED)
    assert len(jobs(copied)) == 2


def test_an_earlier_job_goes_with_the_next_one_and_its_table_stays(copied: Path) -> None:
    first = launched(copied)
    (path,) = copied.glob("tables/*.npy")
    content = path.read_bytes()
    second = launched(copied)
    assert second.state is RunState.COMPLETED
    assert not first.path.exists()
    name = find_checkpoint(copied).name
    jobs = list_runs(copied.parent, AnalysisJob)
    found = jobs_on(jobs, "evaluate", read_run(copied), name, split="test")
    assert [job.run_id for job in found] == [second.run_id]
    delete_run(second)
    assert path.read_bytes() == content
    assert load_predictions(read_run(copied, TrainingRun)).checkpoint.name == name


def test_it_waits_for_no_device(copied: Path) -> None:
    with device_lock("cpu"), device_lock("cuda:0"):
        assert launched(copied, "last", "val").state is RunState.COMPLETED
    assert load_predictions(read_run(copied, TrainingRun), "last", "val").checkpoint.role == "last"
    assert not has_predictions(predictions_path(copied, find_checkpoint(copied).name, "val"))


@pytest.mark.parametrize(
    ("checkpoint", "split", "kind", "told"),
    [
        ("best", "tests", ConfigError, "Unknown split 'tests'. Available: test, val, train."),
        ("best-1", "test", CheckpointError, "There is no checkpoint 'best-1'. Available:"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(
    copied: Path, checkpoint: str, split: str, kind: type[CifarCoreError], told: str
) -> None:
    before = sorted(copied.parent.rglob("*"))
    with pytest.raises(kind) as caught:
        launch(copied, checkpoint, split)
    assert told in str(caught.value)
    assert sorted(copied.parent.rglob("*")) == before


def test_a_run_that_held_nothing_out_has_no_validation_table(copied: Path) -> None:
    request = read_json(copied / "request.json") or {}
    request["config"]["val_size"] = 0
    write_json(copied / "request.json", request)
    with pytest.raises(ConfigError, match="held out no validation images"):
        launch(copied, split="val")
    assert jobs(copied) == []


def test_damaged_weights_fail_with_a_sentence_and_no_table(copied: Path) -> None:
    weights = find_checkpoint(copied).path / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    job = launched(copied)
    assert job.state is RunState.FAILED
    assert f"{weights.parent.name}/weights.safetensors is damaged" in job.reason
    assert tables(copied) == []
    weights.write_bytes(content)
    assert launched(copied).state is RunState.COMPLETED
    assert len(jobs(copied)) == 1


def test_a_job_that_failed_is_exit_code_1_with_its_reason(
    capsys: pytest.CaptureFixture[str], copied: Path
) -> None:
    (find_checkpoint(copied).path / "weights.safetensors").write_bytes(b"torn")
    code = main(["evaluate", "first", "--again"])
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "weights.safetensors is damaged" in printed.err
    assert code == 1  # 2 is a mistake on the command line


def change_manifest(path: Path, **changes: Any) -> None:
    """Changes a manifest, its sum too, as if it had been written so."""
    manifest = replace(read_checkpoint(path).manifest, **changes)
    write_typed(path / "manifest.json", replace(manifest, sum=sum_of(manifest)))


def test_other_data_than_it_was_trained_on_are_refused(copied: Path) -> None:
    change_manifest(find_checkpoint(copied).path, fingerprint="0" * 32)
    job = launched(copied)
    assert job.state is RunState.FAILED
    assert job.reason == "Shapes-10 is not the data that first was trained on."
    assert tables(copied) == []


def test_weights_of_another_model_are_refused(copied: Path) -> None:
    change_manifest(find_checkpoint(copied).path, model="sepnet_v1")
    job = launched(copied)
    assert job.state is RunState.FAILED
    assert "has the weights of a sepnet_v1" in job.reason
    assert tables(copied) == []


def evaluation_of(run_dir: Path) -> "partial[AnalysisRequest]":
    """The request to evaluate a run's best checkpoint on the test images."""
    name = find_checkpoint(run_dir).name
    return partial(
        AnalysisRequest, kind="evaluate", run=run_dir.name, checkpoint=name, split="test"
    )


def test_a_stopped_one_leaves_no_table(copied: Path) -> None:
    name = find_checkpoint(copied).name
    job = create_run(copied.parent, evaluation_of(copied))
    (job / "stop").touch()
    start_worker(job)
    stopped = wait_for(job, *ENDED)
    assert (stopped.state, stopped.reason) == (RunState.STOPPED, "Stopped by user.")
    assert tables(copied) == []
    assert not has_predictions(predictions_path(copied, name, "test"))


def test_a_run_that_was_deleted_meanwhile_is_told(copied: Path) -> None:
    job = create_run(copied.parent, evaluation_of(copied))
    delete_run(read_run(copied, TrainingRun))
    start_worker(job)
    failed = wait_for(job, *ENDED)
    assert failed.state is RunState.FAILED
    assert f"There is no run '{copied.name}'" in failed.reason
