"""Features are the inputs of the last layer; neighbors and projections by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.cli.main import main
from cifar_core.data import open_dataset
from cifar_core.errors import CheckpointError, ConfigError
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.features import (
    find_values,
    neighbors,
    pca_projection,
    read_values,
    tsne_embedding,
    values_path,
    write_values,
)
from cifar_core.evaluation.predictions import eval_split
from cifar_core.evaluation.predictor import FlipTTA, Predictor, last_layer, recorded_inputs
from cifar_core.jobs.launch_analysis import launch_embedding, launch_evaluation
from cifar_core.models import list_models
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from tests.builders import single_thread, smooth_noise, trained_model
from tests.real_jobs import wait_for

one_thread = pytest.fixture(single_thread, autouse=True)


@pytest.mark.parametrize("name", list_models())
def test_the_last_layer_makes_logits_of_features(name: str) -> None:
    model, images = trained_model(name), smooth_noise(3)
    layer = last_layer(model)
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    with torch.no_grad(), recorded_inputs(layer) as seen:
        logits = model(images)
        (features,) = seen
        made = layer(features)
    assert features.shape[0] == 3
    made = made.mean(dim=(2, 3)) if made.ndim == 4 else made
    scale = (logits / made).median()  # speednet scales its logits
    torch.testing.assert_close(made * scale, logits, rtol=1e-3, atol=1e-4)


def test_a_flip_is_the_mean_of_an_image_and_its_mirror_image() -> None:
    model, images = trained_model("convnet"), smooth_noise(4)
    with torch.inference_mode():
        expected = (model(images) + model(torch.flip(images, dims=[3]))) / 2
        torch.testing.assert_close(FlipTTA(model)(images), expected)
        torch.testing.assert_close(FlipTTA(model)(images.flip(3)), expected)


def test_with_flip_the_features_are_the_images_own(finished: Path) -> None:
    run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
    pixels = np.array(open_dataset("shapes10").test.images[:9])
    plain, features = Predictor(checkpoint, run.config).with_features(pixels)
    flipped, same = Predictor(checkpoint, run.config, flip=True).with_features(pixels)
    assert np.array_equal(features, same)
    assert not np.allclose(plain, flipped)


def test_neighbors_are_the_rows_of_the_smallest_angle() -> None:
    features = np.array([[1, 0], [2, 0.1], [0, 3], [5, 5], [-1, 0], [0, 0]], np.float32)
    found = neighbors(features, 0, 3)
    assert [row for row, _ in found] == [1, 3, 2]
    assert [alike for _, alike in found] == pytest.approx([2 / np.hypot(2, 0.1), 0.5**0.5, 0])
    assert len(neighbors(features, 0, 99)) == 5


def test_the_first_direction_is_that_of_the_largest_variance() -> None:
    generator = np.random.default_rng(0)
    along = generator.normal(size=200)
    features = np.outer(along, [0.6, 0.8, 0]) + 0.01 * generator.normal(size=(200, 3))
    places = pca_projection(features.astype(np.float32))
    assert places.shape == (200, 2)
    assert abs(np.corrcoef(places[:, 0], along)[0, 1]) > 0.999


def test_what_is_alike_lies_together_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cifar_core.evaluation.features.EXAGGERATION_ITERATIONS", 100)
    monkeypatch.setattr("cifar_core.evaluation.features.ITERATIONS", 100)
    generator = np.random.default_rng(0)
    groups = np.arange(150) % 3
    centers = 4 * generator.normal(size=(3, 16))
    features = (centers[groups] + generator.normal(size=(150, 16))).astype(np.float32)
    places, again = np.empty((2, 150, 2), np.float32)
    steps = list(tsne_embedding(features, places))
    assert steps[0].done == 0
    assert steps[-1].done == steps[-1].total
    list(tsne_embedding(features, again))
    assert np.array_equal(places, again)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert (groups[gaps.argmin(axis=1)] == groups).all()


@pytest.fixture
def evaluated(copied: Path) -> Path:
    for flip in (False, True):
        job = launch_evaluation(copied.parent, read_run(copied, TrainingRun), "best", "test", flip)
        wait_for(job, RunState.COMPLETED)
    return copied


def test_an_evaluation_keeps_features_and_a_job_embeds_them(evaluated: Path) -> None:
    run, checkpoint = read_run(evaluated, TrainingRun), find_checkpoint(evaluated)
    plain, flipped = (load_predictions(run, flip=flip) for flip in (False, True))
    assert str(flipped).endswith("TTA (flip)")
    assert not np.array_equal(plain.log_probs, flipped.log_probs)
    places_file, file = (
        find_values(run, checkpoint.name, "test", kind) for kind in ("embedding", "features")
    )
    features = read_values(file, checkpoint, plain.examples, "features")
    assert features.shape == (2000, 128)
    with pytest.raises(CheckpointError, match="t-SNE of these images has not been computed yet"):
        read_values(places_file, checkpoint, plain.examples, "embedding")
    job = launch_embedding(evaluated.parent, run, checkpoint.name, "test")
    assert launch_embedding(evaluated.parent, run, checkpoint.name, "test") == job
    wait_for(job, RunState.COMPLETED)
    places = read_values(places_file, checkpoint, plain.examples, "embedding")
    assert places.shape == (2000, 2)
    assert np.isfinite(places).all()


def test_flip_is_an_option_of_the_command(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "first", "--flip", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    predictions = load_predictions(read_run(copied, TrainingRun), flip=True)
    assert (told["flip"], told["acc"]) == (True, pytest.approx(predictions.acc))
    with pytest.raises(CheckpointError, match="not evaluated yet"):
        load_predictions(read_run(copied, TrainingRun), "last", flip=True)


def test_damaged_or_other_features_are_a_sentence(finished: Path, tmp_path: Path) -> None:
    run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
    data = open_dataset("shapes10")
    test, val = (eval_split(data, run.config, split) for split in ("test", "val"))
    values = np.ones((len(test.labels), 4), np.float16)
    write_values(tmp_path, checkpoint, test, "features", values)
    path, other = (values_path(tmp_path, checkpoint.name, s, "features") for s in ("test", "val"))
    assert (read_values(path, checkpoint, test, "features") == 1).all()
    path.rename(other)
    with pytest.raises(CheckpointError, match="with other weights or data"):
        read_values(other, checkpoint, val, "features")
    path.write_bytes(b"PK but no zip")
    with pytest.raises(CheckpointError, match=r"is damaged.*Compute the features again"):
        read_values(path, checkpoint, test, "features")


def test_features_that_cannot_be_projected_are_refused() -> None:
    random = np.random.default_rng(0).random((100, 1))
    for values in (np.zeros((100, 5)), np.ones((7, 5)), random):
        features, coordinates = values.astype(np.float32), np.empty((len(values), 2), np.float32)
        with pytest.raises(ConfigError, match="cannot be projected"):
            pca_projection(features)
        with pytest.raises(ConfigError, match="cannot be projected"):
            list(tsne_embedding(features, coordinates))
