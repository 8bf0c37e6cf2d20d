"""Effect of an augmentation on a trained model: predictions as by hand, and its job."""

import io
from pathlib import Path

import numpy as np
import pytest

from cifar_core.augment import AugmentSpec, Operation, preset
from cifar_core.augment.preview import preview
from cifar_core.checkpoints.checkpoint import find_checkpoint, load_model
from cifar_core.data import open_dataset
from cifar_core.errors import CifarCoreError, ConfigError, RunError
from cifar_core.evaluation.augmentation_effect import (
    FULL,
    ORIGINAL,
    Effect,
    load_effect,
    measure_effect,
)
from cifar_core.explain.maps import probabilities
from cifar_core.jobs.launch_analysis import jobs_on, launch_effect
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, list_runs, read_run
from tests.real_jobs import wait_for

SPEC = AugmentSpec(
    operations=(Operation(name="HorizontalFlip", p=0.5), Operation(name="InvertImg", p=0.2))
)


def test_predictions_are_the_models_on_the_very_pixels(finished: Path, tmp_path: Path) -> None:
    run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
    data = open_dataset(run.config.data)
    progress = list(measure_effect(checkpoint, run.config, data, SPEC, tmp_path))
    assert progress[-1].done == progress[-1].total
    effect = load_effect(tmp_path)
    assert effect.names == [ORIGINAL, FULL, "HorizontalFlip", "InvertImg"]
    assert (effect.labels == data.test.labels[effect.indices]).all()
    model = load_model(checkpoint)
    shown = preview(SPEC, data, effect.indices[:50], 1, 0, data.test).draws[0]
    np.testing.assert_array_equal(effect.pixels[:50], shown)
    for row, pixels in ((0, data.test.images[effect.indices[:50]]), (1, shown)):
        expected = probabilities(model, checkpoint, pixels).argmax(axis=1)
        assert (effect.predictions[row, :50] == expected).mean() > 0.95  # bf16 there, fp32 here
    broken = effect.broken
    assert (effect.predictions[0, broken] == effect.labels[broken]).all()
    assert (effect.predictions[1, broken] != effect.labels[broken]).all()


def made_up(class_hits: list[list[float]]) -> Effect:
    """An effect with 10 images per class and these accuracies per variant."""
    labels = np.repeat(np.arange(2, dtype=np.uint8), 10)
    rows = []
    for hits in class_hits:
        right = np.concatenate([np.arange(10) < round(10 * share) for share in hits])
        rows.append(np.where(right, labels, 1 - labels))
    names = [ORIGINAL, FULL, "Mild", "Harsh"]
    pixels = np.zeros((20, 32, 32, 3), np.uint8)
    return Effect(
        names, np.array(rows, np.uint8), np.arange(20), labels, pixels, ["ant", "bee", "cat"]
    )


def test_accuracies_and_warnings_by_hand() -> None:
    effect = made_up([[1.0, 0.8], [0.9, 0.6], [0.9, 0.8], [1.0, 0.2]])
    assert effect.acc == pytest.approx([0.9, 0.75, 0.85, 0.6])
    assert effect.per_class_accuracy[:, :2].tolist() == [
        [1.0, 0.8],
        [0.9, 0.6],
        [0.9, 0.8],
        [1.0, 0.2],
    ]
    assert np.isnan(effect.per_class_accuracy[:, 2]).all()
    assert effect.broken.tolist() == [9, 16, 17]
    (warning,) = effect.warnings()
    assert warning.startswith("Harsh alone lowers the accuracy of: bee by 60%.")


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no archive", None])
def test_what_is_damaged_or_missing_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "effect.npz").write_bytes(content)
    with pytest.raises(RunError, match="Measure it again"):
        load_effect(tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, about=np.zeros(3, np.uint8))
    (tmp_path / "effect.npz").write_bytes(buffer.getvalue())
    with pytest.raises(RunError, match="Measure it again"):
        load_effect(tmp_path)


def test_as_a_job_it_is_done_once(copied: Path) -> None:
    root, run = copied.parent, read_run(copied, TrainingRun)
    first = launch_effect(root, run, "best", SPEC)
    assert launch_effect(root, run, "best", SPEC) == first
    wait_for(first, RunState.COMPLETED)
    assert len(load_effect(first).names) == 4
    checkpoint = find_checkpoint(copied).name
    jobs = list_runs(root, AnalysisJob)
    (again,) = jobs_on(jobs, "effect", run, checkpoint, augment=SPEC)
    assert again.path == first
    assert not jobs_on(jobs, "effect", run, checkpoint, augment=preset("standard"))
    assert not jobs_on(jobs, "road", run, checkpoint)


def test_nothing_to_try_is_refused(copied: Path) -> None:
    run = read_run(copied, TrainingRun)
    for spec in (preset("none"), AugmentSpec(operations=(Operation(name="MixUp"),))):
        with pytest.raises(ConfigError, match="Add an operation on single images"):
            launch_effect(copied.parent, run, "best", spec)
    with pytest.raises(CifarCoreError):
        launch_effect(copied.parent, run, "epoch-999", SPEC)
