"""Maps side by side: what is drawn, and that only what can be compared shares a scale."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import (
    find_checkpoint,
    list_checkpoints,
    load_model,
    read_checkpoint,
)
from cifar_core.checkpoints.manifest import sum_of
from cifar_core.data import open_dataset
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import Predictions, eval_split
from cifar_core.evaluation.predictor import predict_split
from cifar_core.explain.comparisons import (
    ABOUT,
    KINDS,
    View,
    epoch_checkpoints,
    panels,
    shared_heading,
    untrained_model,
    views,
)
from cifar_core.explain.gradcam import CamMaps
from cifar_core.explain.layers import list_layers
from cifar_core.explain.maps import CamRequest, compute_cams
from cifar_core.explain.methods import METHODS, RANDOM
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.json_files import write_typed
from tests.builders import single_thread

one_thread = pytest.fixture(single_thread, autouse=True)
REQUEST = CamRequest("layer3", "HiResCAM", "predicted")


@pytest.fixture(scope="module")
def predictions(finished: Path, shared_cache: Path) -> Predictions:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
        examples = eval_split(open_dataset("shapes10"), run.config, "test")
        log_probs = np.empty((len(examples.labels), 10), np.float32)
        list(predict_split(checkpoint, run.config, examples, log_probs))
    note = PredictionsNote.of(run.run_id, checkpoint, "test", flip=False)
    return Predictions(log_probs, examples, checkpoint, note)


def views_of(
    kind: str, finished: Path, predictions: Predictions, row: int, other: View | None = None
) -> list[View]:
    layers = list_layers(load_model(predictions.checkpoint))
    return views(kind, read_run(finished, TrainingRun), predictions, row, REQUEST, layers, other)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_and_explained(
    kind: str, finished: Path, predictions: Predictions
) -> None:
    drawn = views_of(kind, finished, predictions, int(predictions.rows()[0]))
    assert ABOUT[kind]
    assert len({view.label for view in drawn}) == len(drawn)
    pixels = predictions.examples.pixels([int(predictions.rows()[0])])
    cams = []
    for view in drawn:
        model = (
            untrained_model(read_run(finished, TrainingRun))
            if view.untrained
            else load_model(view.checkpoint)
        )
        cams.append(
            compute_cams(model, view.checkpoint, pixels, view.layer, [view.target], view.method)
        )
    for panel, cam in zip(panels(drawn, cams), cams, strict=True):
        assert panel.cam.shape == (32, 32)
        assert 0 <= panel.cam.min() <= panel.cam.max() <= 1
        assert panel.grid == cam.grid


def test_targets_are_predicted_true_and_the_difference(
    finished: Path, predictions: Predictions
) -> None:
    row = int(predictions.rows()[0])
    said, true = int(predictions.predicted[row]), int(predictions.examples.labels[row])
    targets = [view.target for view in views_of("targets", finished, predictions, row)]
    assert targets == [said, true, (said, true)]
    right = int(np.flatnonzero(predictions.correct)[0])
    one, other = (view.target for view in views_of("targets", finished, predictions, right))
    assert one == predictions.predicted[right]
    second = int(np.argsort(-predictions.log_probs[right])[1])
    assert other == (one, second)


def test_slow_methods_are_left_out_unless_asked_for(
    finished: Path, predictions: Predictions
) -> None:
    drawn = [view.method for view in views_of("methods", finished, predictions, 0)]
    assert drawn == [name for name, method in METHODS.items() if not method.slow]


def test_each_epoch_is_drawn_once_in_order(finished: Path, predictions: Predictions) -> None:
    kept = epoch_checkpoints(read_run(finished, TrainingRun))
    assert [one.epoch for one in kept] == sorted({c.epoch for c in list_checkpoints(finished)})
    drawn = [view.checkpoint for view in views_of("epochs", finished, predictions, 0)]
    assert drawn == [one.for_split("test") for one in kept]


def test_the_sanity_check_has_random_weights_and_chance(
    finished: Path, predictions: Predictions
) -> None:
    trained, before, chance = views_of("sanity", finished, predictions, 0)
    assert (trained.untrained, before.untrained, chance.method) == (False, True, RANDOM)
    one, other = (untrained_model(read_run(finished, TrainingRun)).state_dict() for _ in range(2))
    theirs = load_model(predictions.checkpoint).state_dict()
    assert all((one[name] == other[name]).all() for name in one)
    assert not all((one[name] == theirs[name]).all() for name in one)


def test_one_layer_and_method_share_a_scale_and_others_do_not(predictions: Predictions) -> None:
    def cam(strength: float) -> CamMaps:
        ramp = np.linspace(0, 1, 1024, dtype=np.float32).reshape(1, 32, 32)
        return CamMaps(ramp, ramp * np.float32(strength), (8, 8))

    views = [
        View("strong", predictions.checkpoint, "layer3", "GradCAM", 0),
        View("weak", predictions.checkpoint, "layer3", "GradCAM", 1),
        View("elsewhere", predictions.checkpoint, "layer2", "GradCAM", 0),
    ]
    shown = panels(views, [cam(2.0), cam(0.5), cam(0.1)])
    assert [float(panel.cam.max()) for panel in shown] == pytest.approx([1, 0.25, 1])
    assert [panel.note for panel in shown] == ["peak 2", "peak 0.5", "peak 0.1"]
    before = replace(views[0], label="untrained", untrained=True)
    assert panels([views[0], before], [cam(2.0), cam(1e-4)])[1].cam.max() == 1  # the shape counts


def test_a_stop_in_mid_epoch_is_no_epoch_s_end(finished: Path, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(finished, tmp_path / finished.name))
    stopped = run_dir / "last-0000099"
    shutil.copytree(list_checkpoints(run_dir, "last")[-1].path, stopped)
    manifest = replace(read_checkpoint(stopped).manifest, step=99, epoch=1, figures=None)
    write_typed(stopped / "manifest.json", replace(manifest, sum=sum_of(manifest)))
    assert len(list_checkpoints(run_dir)) == len(list_checkpoints(finished)) + 1
    assert [one.name for one in epoch_checkpoints(read_run(run_dir, TrainingRun))] == [
        one.name for one in epoch_checkpoints(read_run(finished, TrainingRun))
    ]


def test_a_heading_names_what_the_maps_have_in_common() -> None:
    headings = {
        "layers": "All layers: HiResCAM, target: predicted class",
        "methods": "All methods: at layer3, target: predicted class",
        "targets": "Targets: HiResCAM, at layer3",
        "epochs": "Saved epochs: HiResCAM, at layer3, target: predicted class",
    }
    for kind, heading in headings.items():
        assert shared_heading(kind, REQUEST) == heading
