"""From a checkpoint to maps and probabilities: they agree with the table, and say what they are."""

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from cifar_core.checkpoints.checkpoint import (
    Checkpoint,
    find_checkpoint,
    load_model,
    read_checkpoint,
)
from cifar_core.checkpoints.manifest import sum_of
from cifar_core.data import open_dataset
from cifar_core.data.sheet import GAP, LINE, SCALE
from cifar_core.errors import CheckpointError, CifarCoreError, ConfigError, DataError
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import EvalSplit, Predictions, eval_split
from cifar_core.evaluation.predictor import predict_split
from cifar_core.explain.gradcam import CamMaps, on_shared_scale
from cifar_core.explain.maps import (
    MAX_IMAGES,
    CamRequest,
    cards_from,
    compute_cams,
    draw_own,
    draw_rows,
    heading_of,
    own_predictions,
    peak_note,
    probabilities,
)
from cifar_core.explain.methods import METHODS
from cifar_core.explain.overlay import Pixels, heatmap
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system.json_files import write_typed
from tests.builders import manifest_of
from tests.made_up_data import png

CLASSES = ("ant", "bee", "cat")


@pytest.fixture(scope="module")
def predictions(finished: Path, shared_cache: Path) -> Iterator[Predictions]:
    """What the finished run says of the test images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        run, checkpoint = read_run(finished, TrainingRun), find_checkpoint(finished)
        data = open_dataset("shapes10")
        examples = eval_split(data, run.config, "test")
        log_probs = np.empty((len(examples.labels), 10), np.float32)
        for _ in predict_split(checkpoint, run.config, examples, log_probs):
            pass
        note = PredictionsNote.of(run.run_id, checkpoint, "test", flip=False)
        yield Predictions(log_probs, examples, checkpoint, note)


@pytest.fixture(scope="module")
def model(predictions: Predictions) -> nn.Module:
    return load_model(predictions.checkpoint)


def by_hand() -> Predictions:
    """Five images of three classes: right, wrong twice, right, wrong."""
    probs = np.array([[7, 2, 1], [1, 8, 1], [6, 3, 1], [0.04, 0.06, 9.9], [4, 3.5, 2.5]]) / 10
    images = np.zeros((5, 32, 32, 3), np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None, None]
    labels, indices = np.array([0, 0, 2, 2, 1], np.uint8), np.arange(5)
    examples = EvalSplit("test", CLASSES, "f", images, labels, indices)
    checkpoint = Checkpoint(Path("best-0000003"), manifest_of())
    note = PredictionsNote.of("run", checkpoint, "test", flip=False)
    return Predictions(np.log(probs).astype(np.float32), examples, checkpoint, note)


def maps(peaks: list[float]) -> CamMaps:
    cams = np.random.default_rng(0).random((len(peaks), 32, 32), np.float32)
    cams /= cams.max(axis=(1, 2), keepdims=True)
    return CamMaps(cams, cams * np.array(peaks, np.float32)[:, None, None], (8, 8))


def opened(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return np.asarray(picture)


def test_a_faint_peak_and_no_map_are_told() -> None:
    assert peak_note(0.5) == "peak 0.5"
    assert peak_note(1e-3) == "peak 0.001"
    assert peak_note(9e-4) == "peak 0.0009 · too weak: amplified noise"
    assert peak_note(0) == "empty: no region supports this class"
    assert peak_note(float("nan")) == "no map: division by zero in this method"


def test_cards_say_what_was_seen_and_what_was_asked() -> None:
    predictions, cams = by_hand(), maps([0.5, 1e-4, np.nan, 0.5])
    cards = cards_from(predictions, [3, 1, 4, 2], [2, 1, 2, 0], cams)
    assert [card.lines for card in cards] == [
        ("true cat, predicted cat (99%)", "test 3 · map: cat, peak 0.5"),
        (
            "true ant, predicted bee (80%)",
            "test 1 · map: bee, peak 0.0001 · too weak: amplified noise",
        ),
        (
            "true bee, predicted ant (40%)",
            "test 4 · map: cat, no map: division by zero in this method",
        ),
        ("true cat, predicted ant (60%)", "test 2 · map: ant, peak 0.5"),
    ]
    for place, (card, row) in enumerate(zip(cards, [3, 1, 4, 2], strict=True)):
        assert np.array_equal(card.pixels, predictions.examples.images[row])
        assert np.array_equal(card.cam, cams.maps[place])


def test_a_card_of_ones_own_picture_names_the_three_best_guesses() -> None:
    pixels, probs = np.zeros((32, 32, 3), np.uint8), np.array([0.051, 0.2, 0.7, 0.049], np.float32)
    checkpoint = Checkpoint(Path("best-0000003"), replace(manifest_of(), classes=(*CLASSES, "dog")))
    own = own_predictions("run", checkpoint, pixels, probs)
    (card,) = cards_from(own, [0], [1], maps([0.5]))
    said = ("cat 70.0%, bee 20.0%, ant 5.1%", "your image · map: bee, peak 0.5")
    assert card.lines == said
    assert own.checkpoint.normalization == checkpoint.normalization


def test_probabilities_are_those_of_the_table(predictions: Predictions, model: nn.Module) -> None:
    rows = np.arange(1000)
    probs = probabilities(model, predictions.checkpoint, predictions.examples.pixels(rows))
    assert (probs.shape, probs.dtype) == ((1000, 10), np.float32)
    assert (probs >= 0).all()
    assert probs.sum(axis=1) == pytest.approx(1, abs=1e-5)
    agreed = probs.argmax(axis=1) == predictions.predicted[rows]
    assert agreed.mean() >= 0.97  # the table may be of bf16
    assert probs == pytest.approx(np.exp(predictions.log_probs[rows]), abs=0.02)
    one = probabilities(model, predictions.checkpoint, predictions.examples.pixels([7]))
    assert one[0] == pytest.approx(probs[7], abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_one_for_each_image(
    predictions: Predictions, model: nn.Module, method: str
) -> None:
    found = compute_cams(
        model, predictions.checkpoint, predictions.examples.pixels([4, 2]), "layer3", [1, 5], method
    )
    assert found.maps.shape == (2, 32, 32)
    assert (found.maps.min(), found.maps.max()) == (0, pytest.approx(1, abs=1e-3))
    alone = compute_cams(
        model, predictions.checkpoint, predictions.examples.pixels([2]), "layer3", [5], method
    )
    assert alone.maps[0] == pytest.approx(found.maps[1], abs=1e-3)


REFUSED = [
    (0, "layer3", 0, "GradCAM", "0 images. Choose 1 to 48."),
    (MAX_IMAGES + 1, "layer3", 0, "GradCAM", "49 images. Choose 1 to 48."),
    (2, "fc", 0, "GradCAM", "There is no layer 'fc' for Grad-CAM. Choose one of: stem"),
    (2, "layer3", 10, "GradCAM", "There is no class 10; give 0 to 9."),
    (2, "layer3", 0, "CAM", "Unknown method 'CAM'. Available: GradCAM, GradCAM++"),
]


def test_impossible_maps_are_refused(predictions: Predictions, model: nn.Module) -> None:
    for count, layer, target, method, message in REFUSED:
        pixels = predictions.examples.pixels(list(range(count)))
        with pytest.raises(ConfigError, match=re.escape(message)):
            compute_cams(model, predictions.checkpoint, pixels, layer, [target] * count, method)


def test_the_heading_says_how_maps_were_made() -> None:
    told = heading_of("layer3", (8, 8), CamRequest(method="LayerCAM", target="true"))
    assert told == "LayerCAM at layer3 (8x8), target: true class"


def test_a_drawn_row_shows_its_image_and_the_map_asked_for(
    predictions: Predictions, model: nn.Module
) -> None:
    request = CamRequest("layer3", "HiResCAM", "star", opacity=1)
    sheet = opened(draw_rows("first", predictions, [11, 3], request))
    pixels, star = predictions.examples.pixels([11, 3]), predictions.examples.classes.index("star")
    cams = compute_cams(model, predictions.checkpoint, pixels, "layer3", [star, star], "HiResCAM")
    x, y, side = GAP, 2 * GAP + 2 * LINE, 32 * SCALE
    image, overlay = (sheet[y : y + side, left : left + side] for left in (x, x + 2 * (side + GAP)))
    assert np.array_equal(image[::SCALE, ::SCALE], pixels[0])
    cam = on_shared_scale([cams])[0][0]
    drawn = pixels[0] + cam[..., None] * (heatmap(cam) - pixels[0].astype(float))
    assert np.abs(overlay[::SCALE, ::SCALE] - drawn).max() <= 2
    by_number = opened(
        draw_rows("first", predictions, [11, 3], CamRequest("layer3", "HiResCAM", "8", 1))
    )
    assert np.array_equal(by_number[y:], sheet[y:])


def test_ones_own_picture_is_drawn_with_its_map(finished: Path) -> None:
    run, picture = read_run(finished, TrainingRun), np.zeros((64, 48, 3), np.uint8)
    picture[20:40, 10:30] = (250, 40, 60)
    drawn = {
        target: opened(draw_own(run, "best", png(picture), CamRequest(target=target, opacity=0)))
        for target in ("predicted", "star", "8", "2")
    }
    assert np.array_equal(drawn["star"][60:], drawn["8"][60:])
    assert not np.array_equal(drawn["star"], drawn["2"])
    middle = drawn["predicted"][2 * GAP + 2 * LINE + 64, GAP + 52]
    assert middle.tolist() == [250, 40, 60]


def test_what_does_not_fit_an_uploaded_image_is_refused(finished: Path) -> None:
    image = png(np.zeros((8, 8, 3), np.uint8))
    cases: list[tuple[CamRequest, bytes, type[CifarCoreError], str]] = [
        (CamRequest(target="true"), image, ConfigError, "is unknown"),
        (CamRequest(target="10"), image, ConfigError, "no class '10'"),
        (CamRequest(layer="fc"), image, ConfigError, "no layer 'fc'"),
        (CamRequest(opacity=1.5), image, ConfigError, "opacity = 1.5"),
        (CamRequest(), b"GIF89a", DataError, "This is a GIF"),
    ]
    for request, content, error, message in cases:
        with pytest.raises(error, match=message):
            draw_own(read_run(finished, TrainingRun), "best", content, request)


def test_weights_of_another_model_are_refused(
    predictions: Predictions, finished: Path, tmp_path: Path
) -> None:
    run_dir = Path(shutil.copytree(finished, tmp_path / finished.name))
    path = run_dir / predictions.checkpoint.name
    manifest = replace(read_checkpoint(path).manifest, model="resnet18")
    write_typed(path / "manifest.json", replace(manifest, sum=sum_of(manifest)))
    other = Predictions(
        predictions.log_probs, predictions.examples, read_checkpoint(path), predictions.note
    )
    with pytest.raises(CheckpointError, match="has the weights of a resnet18"):
        draw_rows("first", other, [0], CamRequest())
    with pytest.raises(CheckpointError, match="has the weights of a resnet18"):
        draw_own(
            read_run(run_dir, TrainingRun), "best", png(np.zeros((8, 8, 3), np.uint8)), CamRequest()
        )
