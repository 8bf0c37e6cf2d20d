"""A published run: small, read-only, with nothing of the machine, and listed everywhere."""

import getpass
import hashlib
import json
import os
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load

from cifar_core.checkpoints.checkpoint import find_checkpoint, load_model, read_checkpoint
from cifar_core.errors import CheckpointError, CifarCoreError, RunError
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.features import find_values, neighbors, read_values
from cifar_core.explain.error_maps import read_error_maps
from cifar_core.explain.layers import default_layer, list_layers
from cifar_core.explain.maps import compute_cams
from cifar_core.explain.road import load_ranking
from cifar_core.jobs.launch import extend_run, launch_training, resume_run
from cifar_core.jobs.launch_analysis import launch_evaluation, launch_road
from cifar_core.models import create_model
from cifar_core.report.card import read_card
from cifar_core.report.publish import principal_components, publish, shards
from cifar_core.runs.index import RunIndex
from cifar_core.runs.lifecycle import delete_run, rename_run
from cifar_core.runs.names import check_name
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, TrainingRun, find_run, list_runs, read_run
from cifar_core.system.paths import cache_dir, repository, runs_root
from tests.real_jobs import rewrite, small, wait_for


def content(folder: Path) -> dict[Path, str]:
    """The sum of each file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_is_listed_everywhere_and_found_by_name_and_id(shipped: TrainingRun, runs: Path) -> None:
    assert shipped.is_shipped
    assert shipped.state is RunState.COMPLETED
    for text in (shipped.run_id, "first"):
        assert find_run(runs, text, TrainingRun).path == shipped.path
    listing = RunIndex(runs).now()
    assert [run.path for run in listing.trained()] == [shipped.path]
    assert listing.trained()[0].derived == shipped.derived
    assert not runs.exists()
    with pytest.raises(RunError, match="already a run named 'first'"):
        check_name(runs, "first")


def test_nothing_of_the_machine_goes_along(shipped: TrainingRun, finished: Path) -> None:
    told = json.loads((finished / "status.json").read_text())["worker"]["pid"]
    places = (str(repository()), str(Path.home()), str(finished.parent), str(cache_dir()))
    for path in shipped.path.parent.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".md"):
            text = path.read_text()
            for word in (*places, f'"pid": {told}', socket.gethostname(), f"/{getpass.getuser()}/"):
                assert word not in text, path
    names = {path.name for path in shipped.path.iterdir()}
    assert not names & {"start.json", "worker.log", "worker.lock", "tensorboard", "stop"}
    assert not list(shipped.path.rglob("state.pt"))


def test_its_weights_are_the_halves_of_those_of_the_run(
    shipped: TrainingRun, finished: Path
) -> None:
    checkpoint = find_checkpoint(shipped.path)
    assert len(checkpoint.weight_files) > 1
    assert all(
        (checkpoint.path / name).stat().st_size <= 200_000 for name in checkpoint.weight_files
    )
    index = json.loads((checkpoint.path / "weights.safetensors.index.json").read_text())
    halves = load_model(checkpoint).state_dict()
    assert set(index["weight_map"]) == set(halves)
    for name, values in load_model(find_checkpoint(finished)).state_dict().items():
        rounded = values.half().float() if values.is_floating_point() else values
        assert torch.equal(halves[name], rounded), name
        assert index["weight_map"][name] in checkpoint.weight_files


def test_a_damaged_part_is_told(shipped: TrainingRun, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(find_checkpoint(shipped.path).path, tmp_path / "best-0000001"))
    part = copy / read_checkpoint(copy).weight_files[-1]
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=rf"{part.name} is damaged"):
        load_model(read_checkpoint(copy))


def test_predictions_features_and_card_are_those_of_these_weights(
    shipped: TrainingRun, runs: Path
) -> None:
    card = read_card(shipped.path)
    assert card is not None
    for flip, acc in ((False, card.test_acc), (True, card.flip_acc)):
        stored = load_predictions(shipped, "best", "test", flip)
        assert stored.acc == acc
    plain = load_predictions(shipped, "best", "test")
    assert (np.array(card.matrix) == plain.matrix).all()
    network = create_model(card.model, len(card.classes))
    num_params = sum(values.numel() for values in network.parameters())
    assert (card.num_train, card.num_val, card.num_params) == (512, 256, num_params)
    wait_for(launch_evaluation(runs, shipped, "best", "test"), RunState.COMPLETED)
    again = load_predictions(find_run(runs, "first", TrainingRun), "best", "test")
    assert again.acc == card.test_acc
    assert np.abs(again.log_probs - plain.log_probs).max() < 0.02
    text = (shipped.path / "README.md").read_text()
    assert f"{card.test_acc:.2%}" in text
    assert "A machine, cpu" in text


def test_what_is_made_of_it_goes_to_the_runs_and_it_stays_as_it_is(
    shipped: TrainingRun, runs: Path
) -> None:
    before = content(shipped.path.parent)
    wait_for(launch_evaluation(runs, shipped, "best", "val"), RunState.COMPLETED)
    assert load_predictions(shipped, "best", "val").acc > 0
    assert (shipped.derived / "tables").is_dir()
    assert shipped.derived.is_relative_to(runs)
    assert content(shipped.path.parent) == before


@pytest.mark.parametrize(
    "act",
    [
        delete_run,
        lambda run: delete_run(run, keep_curves=True),
        lambda run: rename_run(run, "other"),
        lambda run: rename_run(run, notes="more"),
        resume_run,
        lambda run: extend_run(run, 99),
    ],
    ids=["delete", "delete checkpoints", "rename", "notes", "resume", "extend"],
)
def test_it_cannot_be_changed(shipped: TrainingRun, act: Callable[[TrainingRun], object]) -> None:
    before = content(shipped.path.parent)
    with pytest.raises(RunError, match=r"came with the app"):
        act(shipped)
    assert content(shipped.path.parent) == before


def test_a_run_of_ones_own_starts_from_it(shipped: TrainingRun, runs: Path) -> None:
    run_dir = launch_training(runs, small(epochs=1, weights="first"))
    wait_for(run_dir, RunState.COMPLETED)
    assert read_run(run_dir, TrainingRun).best_acc


def test_its_ranking_ships_as_a_job_that_stays(shipped: TrainingRun, runs: Path) -> None:
    (job,) = list_runs(runs, AnalysisJob)
    assert job.is_shipped
    assert job.state is RunState.COMPLETED
    assert load_ranking(job.path).ranked
    wait_for(launch_road(runs, shipped, "best"), RunState.COMPLETED)
    assert job.path.is_dir()
    assert len(list_runs(runs, AnalysisJob)) == 2


def test_its_maps_are_those_of_its_most_confident_errors(shipped: TrainingRun) -> None:
    maps, predictions = read_error_maps(shipped.path), load_predictions(shipped)
    rows = predictions.rows()
    surest = rows[np.argsort(-predictions.confidence[rows], kind="stable")][: len(maps.indices)]
    assert maps.indices.tolist() == surest.tolist()
    model = load_model(predictions.checkpoint)
    assert maps.layer == default_layer(list_layers(model)).name
    pixels = predictions.examples.pixels(surest)
    for targets, stored in (
        (predictions.predicted[surest], maps.for_predicted),
        (predictions.examples.labels[surest], maps.for_true),
    ):
        raw = compute_cams(model, predictions.checkpoint, pixels, maps.layer, targets.tolist()).raw
        np.testing.assert_allclose(stored, raw, rtol=2e-3, atol=1e-6)


def test_components_keep_the_neighbors() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 12)) @ rng.normal(size=(12, 512))
    features = features.astype(np.float32)
    less = principal_components(features)
    assert less.shape == (200, 64)
    for row in (0, 57):
        assert [n for n, _ in neighbors(less, row, 8)] == [
            n for n, _ in neighbors(features, row, 8)
        ]
    assert principal_components(features[:, :64]).shape == (200, 64)


def test_features_are_read_as_any(shipped: TrainingRun) -> None:
    predictions = load_predictions(shipped)
    path = find_values(shipped, predictions.checkpoint.name, "test", "features")
    values = read_values(path, predictions.checkpoint, predictions.examples, "features")
    assert values.shape[0] == len(predictions.examples.labels)
    assert values.shape[1] <= 64


def test_small_weights_stay_in_one_file() -> None:
    assert list(shards(create_model("sepnet_v2", 10).state_dict())) == ["weights.safetensors"]
    files = shards(create_model("resnet18", 10).state_dict())
    assert max(map(len, files.values())) <= 9_000_000
    named = [name for part in list(files.values())[:-1] for name in load(part)]
    assert len(named) == len(set(named)) == len(create_model("resnet18", 10).state_dict())


def test_only_what_has_ended_and_is_not_there_is_published(
    shipped: TrainingRun, copied: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="is there already"):
        list(publish(read_run(copied, TrainingRun), shipped.path.parent))
    config = {**read_run(copied, TrainingRun).config.model_dump(mode="json"), "data": "/my/place"}
    elsewhere = Path(shutil.copytree(copied, tmp_path / copied.name))
    rewrite(elsewhere, config=config)
    with pytest.raises(RunError, match="a place of this machine"):
        list(publish(read_run(elsewhere, TrainingRun), tmp_path / "to"))
    for folder in copied.glob("*-0*"):
        for file in folder.iterdir():
            file.unlink()
    with pytest.raises(CifarCoreError, match="no checkpoint"):
        list(publish(read_run(copied, TrainingRun), tmp_path / "to"))
    assert not list((tmp_path / "to").glob("*"))


def test_a_read_only_folder_does(shipped: TrainingRun, runs: Path) -> None:
    folders = [shipped.path.parent, *(p for p in shipped.path.parent.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        assert runs_root() == runs
        assert load_predictions(shipped).acc > 0
        assert load_model(find_checkpoint(shipped.path))
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert os.access(shipped.path, os.W_OK)
