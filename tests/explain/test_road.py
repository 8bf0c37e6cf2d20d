"""ROAD: the library's own figures, ties broken, and the ranking of a checkpoint as a job."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cifar_core.checkpoints.checkpoint import find_checkpoint, load_model
from cifar_core.cli.main import main
from cifar_core.data import open_dataset
from cifar_core.errors import RunError
from cifar_core.evaluation.predictions import eval_split
from cifar_core.explain import road
from cifar_core.explain.layers import TargetLayer, default_layer, list_layers
from cifar_core.explain.methods import RANDOM
from cifar_core.explain.road import (
    PERCENTILES,
    RANKED,
    RankingFile,
    RoadScore,
    load_ranking,
    rank_by_road,
    road_scores,
)
from cifar_core.jobs.launch_analysis import launch_road
from cifar_core.models import create_model, list_models
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run, TrainingRun, read_run
from cifar_core.system.json_files import write_typed
from cifar_core.system.seeds import Purpose, derive_seed
from tests.builders import quick_model, single_thread, smooth_noise
from tests.real_jobs import wait_for, wait_until_training

one_thread = pytest.fixture(single_thread, autouse=True)
CLASSES = [1, 4, 9]


def maps_without_ties() -> np.ndarray:
    generator = np.random.default_rng(0)
    order = np.stack([generator.permutation(1024) for _ in CLASSES])
    return (order.reshape(-1, 32, 32) / 1023).astype(np.float32)


def test_scores_are_those_of_the_library() -> None:
    from pytorch_grad_cam.metrics.road import ROADCombined
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    model, images, cams = quick_model(), smooth_noise(3), maps_without_ties()
    found = road_scores(model, images, cams, CLASSES)
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.manual_seed(derive_seed(0, Purpose.AUGMENT))
        targets = [ClassifierOutputSoftmaxTarget(number) for number in CLASSES]
        plain = ROADCombined(list(PERCENTILES))(images, cams, targets, model)
    np.testing.assert_allclose(found, plain, atol=1e-6)


def test_only_the_order_counts_and_the_same_comes_each_time() -> None:
    model, images, cams = quick_model(), smooth_noise(3), maps_without_ties()
    found = road_scores(model, images, cams, CLASSES)
    assert np.array_equal(found, road_scores(model, images, np.sqrt(cams), CLASSES))


def test_an_empty_map_scores_as_chance_does() -> None:
    model, images = quick_model(), smooth_noise(3)
    empty = np.zeros((3, 32, 32), np.float32)
    found = road_scores(model, images, empty, CLASSES)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 0.2


class Corner(nn.Module):
    """Sees nothing but the upper left quarter: red there is class 1, else class 0."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        red = images[:, 0, :16, :16].mean(dim=(1, 2))
        return torch.stack((-red, red), dim=1)


def test_a_map_of_what_counts_beats_one_of_what_does_not() -> None:
    images = 0.3 * smooth_noise(3)
    images[:, 0, :16, :16] += 2
    there, elsewhere = np.zeros((2, 3, 32, 32), np.float32)
    there[:, :16, :16] = 1
    elsewhere[:, 16:, 16:] = 1
    good, bad = (road_scores(Corner(), images, cams, [1, 1, 1]) for cams in (there, elsewhere))
    assert good.min() > 0 > bad.max()


def test_every_layer_offered_is_ranked_with_every_gradient_method(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(road, "NUM_IMAGES", 3)
    run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
    examples = eval_split(open_dataset("shapes10"), run.config, "test")
    told = list(rank_by_road(load_model(checkpoint), checkpoint, examples, tmp_path))
    assert (told[0].done, told[-1].done) == (0, told[-1].total)
    ranking = load_ranking(tmp_path)
    assert "layer3" in ranking.layers
    assert len(ranking.ranked) == len(ranking.layers) * len(RANKED)
    scores = [one.score for one in ranking.ranked]
    assert scores == sorted(scores, reverse=True)
    assert ranking.score_matrix().max() == scores[0]
    assert ranking.ranked[0].method in str(ranking)
    assert "random maps" in str(ranking)


SAMPLED = {  # of the networks with more than ten
    "sepnet_v1": "layer1.0, layer1.2, layer1.6, layer1.8, layer2.3, layer2.6, layer2.8, "
    "layer3.0, layer3.2, layer3.6, layer3.8, head",
    "sepnet_v2": "layer1.0, layer1.2, transition1, layer2.5, transition2, layer3.5, "
    "layer3.6, layer3.8, layer3.11, layer3.13",
    "resnet34": "conv1, layer1.input, layer1.2, layer2.2, layer3.2, layer3.5, layer4.2",
}


@pytest.mark.parametrize("name", list_models())
def test_of_a_deep_network_some_layers_are_ranked(name: str) -> None:
    layers = [layer for layer in list_layers(create_model(name)) if layer.offered]
    pairs = road._candidates(layers)
    ranked = list(dict.fromkeys(layer for layer, method in pairs if method in RANKED))
    assert ", ".join(ranked) == SAMPLED.get(name, ", ".join(layer.name for layer in layers))
    assert default_layer(layers).name in ranked
    grids = {(layer.height, layer.width) for layer in layers if layer.name in ranked}
    assert sum(method == RANDOM for _, method in pairs) == len(grids)


def test_a_convolution_is_ranked_before_and_after_its_activation() -> None:
    def layer(name: str, activated: bool = False) -> TargetLayer:
        return TargetLayer(name, 8, 8, 8, True, activated)

    numbers = range(12)
    layers = [layer(f"{n}{'a' * after}", bool(after)) for n in numbers for after in (0, 1)]
    ranked = list(dict.fromkeys(name for name, _ in road._candidates(layers)))
    assert {name.rstrip("a") for name in ranked} == {name for name in ranked if name.isdecimal()}
    assert len(ranked) == 2 * road.NUM_SAMPLED


def test_as_a_job_it_is_done_once_and_can_be_stopped(copied: Path) -> None:
    run, name = read_run(copied, TrainingRun), find_checkpoint(copied).name
    job = launch_road(copied.parent, run, name)
    assert launch_road(copied.parent, run, name) == job
    wait_until_training(job)  # its first record
    request_stop(read_run(job))
    wait_for(job, RunState.STOPPED)
    assert not (job / "road.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "There is no run 'nobody'"),
        (["first", "--checkpoint", "x"], "no checkpoint 'x'"),
    ],
)
def test_the_command_refuses_what_is_not_there(
    copied: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_command_prints_the_ranking(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ranked(root: Path, run: Run, checkpoint: str) -> Path:
        found = [RoadScore("layer1", name, 0.1, 0.01) for name in ("LayerCAM", RANDOM)]
        write_typed(root / "road.json", RankingFile(tuple(found)))
        return root

    monkeypatch.setattr("cifar_core.jobs.launch_analysis.launch_road", ranked)  # 45 s otherwise
    monkeypatch.setattr("cifar_core.cli.report.follow_stages", lambda job: None)
    assert main(["rank", "first"]) == 0
    assert "LayerCAM   layer1" in capsys.readouterr().out
    assert main(["rank", "first", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ranked"][0]["layer"] == "layer1"


def test_random_maps_are_the_baseline_and_not_in_the_ranking(tmp_path: Path) -> None:
    found = [
        RoadScore("layer1", "GradCAM", 0.2, 0.01),
        RoadScore("layer2", "GradCAM", 0.3, 0.01),
        RoadScore("layer2", RANDOM, 0.05, 0.01),
        RoadScore("layer1", RANDOM, 0.07, 0.01),
    ]
    write_typed(tmp_path / "road.json", RankingFile(tuple(found)))
    ranking = load_ranking(tmp_path)
    assert [one.layer for one in ranking.ranked] == ["layer2", "layer1"]
    assert ranking.layers == ("layer1", "layer2")
    assert ranking.random_score == 0.07
    sentence = "GradCAM at layer2 is the most faithful (ROAD 0.300 ± 0.010), above random maps"
    assert str(ranking) == f"{sentence} (0.070)."


def test_a_damaged_ranking_is_a_sentence(tmp_path: Path) -> None:
    for content in ("", "{}", '{"found": []}', '{"found": [{"layer": "a"}]}'):
        (tmp_path / "road.json").write_text(content)
        with pytest.raises(RunError, match="Rank again"):
            load_ranking(tmp_path)
