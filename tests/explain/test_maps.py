"""From a checkpoint to maps and probabilities: they agree with the table, and say what they are."""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator
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
from cifar_core.data import open_dataset
from cifar_core.errors import CheckpointError, CifarCoreError, ConfigError, DataError
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
    own_card,
    peak_note,
    probabilities,
)
from cifar_core.explain.methods import METHODS
from cifar_core.explain.overlay import Pixels, heatmap
from cifar_core.explain.sheet import GAP, LINE, SCALE
from cifar_core.explain.targets import find_class, target_classes, topk_classes
from cifar_core.runs.store import read_run
from cifar_core.system.files import read_json, write_json
from tests.conftest import png

CLASSES = ("ant", "bee", "cat")


@pytest.fixture(scope="module")
def predictions(finished: Path, shared_cache: Path) -> Iterator[Predictions]:
    """What the finished run says of the test images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_CACHE", str(shared_cache))
        run, checkpoint = read_run(finished), find_checkpoint(finished)
        assert run.config is not None
        data = open_dataset("shapes10")
        examples = eval_split(data, run.config, "test")
        log_probs = np.empty((len(examples.labels), 10), np.float32)
        for _ in predict_split(checkpoint, run.config, examples, log_probs):
            pass
        yield Predictions(log_probs, examples, checkpoint, {"data": data.title})


@pytest.fixture(scope="module")
def model(predictions: Predictions) -> nn.Module:
    return load_model(predictions.checkpoint)


def by_hand() -> Predictions:
    """Five images of three classes: right, wrong twice, right, wrong."""
    probs = np.array([[7, 2, 1], [1, 8, 1], [6, 3, 1], [0.04, 0.06, 9.9], [4, 3.5, 2.5]]) / 10
    images = np.zeros((5, 32, 32, 3), np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None, None]
    labels, indices = np.array([0, 0, 2, 2, 1], np.uint8), np.arange(5)
    examples = EvalSplit("test", CLASSES, "f", images, labels, indices)
    checkpoint = Checkpoint(Path("best-0000003"), "best", 3, 1, {})
    return Predictions(np.log(probs).astype(np.float32), examples, checkpoint, {"data": "Made up"})


def maps(peaks: list[float]) -> CamMaps:
    cams = np.random.default_rng(0).random((len(peaks), 32, 32), np.float32)
    return CamMaps(cams, np.array(peaks, np.float32), np.zeros(len(peaks), np.float32), (8, 8))


def opened(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return np.asarray(picture)


def test_a_class_is_found_by_name_or_number() -> None:
    for number, name in enumerate(CLASSES):
        assert find_class(CLASSES, name) == find_class(CLASSES, str(number)) == number
    assert find_class(("1", "0"), "1") == 0  # a name comes before a number


@pytest.mark.parametrize("text", ["3", "-1", "1.0", "dog", "Ant", "", " ant", "²", "nan"])
def test_what_is_no_class_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_class(CLASSES, text)
    assert str(caught.value) == (
        f"There is no class {text!r}. Give 0 to 2, or one of: ant, bee, cat."
    )


def test_images_are_asked_about_what_was_predicted_what_is_true_or_one_class() -> None:
    predictions = by_hand()
    assert target_classes(predictions, [0, 1, 3], "predicted") == [0, 1, 2]
    assert target_classes(predictions, [4, 1, 2], "true") == [1, 0, 2]
    assert (
        target_classes(predictions, [4, 1, 2], "cat")
        == target_classes(predictions, [4, 1, 2], "2")
        == [2, 2, 2]
    )
    for target in ("3", "dog"):
        with pytest.raises(ConfigError, match=f"no class '{target}'"):
            target_classes(predictions, [0], target)


def test_a_faint_peak_and_no_map_are_told() -> None:
    assert peak_note(0.5) == "peak 0.5"
    assert peak_note(1e-3) == "peak 0.001"
    assert peak_note(9e-4) == "peak 0.0009 · faint: stretched noise"
    assert peak_note(0) == "empty: nothing here speaks for it"
    assert peak_note(float("nan")) == "no map: the method divides by zero here"


def test_cards_say_what_was_seen_and_what_was_asked() -> None:
    predictions, cams = by_hand(), maps([0.5, 1e-4, np.nan, 0.5])
    cards = cards_from(predictions, [3, 1, 4, 2], [2, 1, 2, 0], cams)
    assert [card.lines for card in cards] == [
        ("cat, recognised (99%)", "test 3 · map: cat, peak 0.5"),
        ("ant, taken for bee (80%)", "test 1 · map: bee, peak 0.0001 · faint: stretched noise"),
        (
            "bee, taken for ant (40%)",
            "test 4 · map: cat, no map: the method divides by zero here",
        ),
        ("cat, taken for ant (60%)", "test 2 · map: ant, peak 0.5"),
    ]
    for place, (card, row) in enumerate(zip(cards, [3, 1, 4, 2], strict=True)):
        assert np.array_equal(card.pixels, predictions.examples.images[row])
        assert np.array_equal(card.cam, cams.maps[place])


def test_a_card_of_ones_own_picture_names_the_three_best_guesses() -> None:
    pixels, probs = np.zeros((32, 32, 3), np.uint8), np.array([0.051, 0.2, 0.7, 0.049], np.float32)
    card = own_card(pixels, (*CLASSES, "dog"), probs, 1, maps([0.5]))
    assert card.lines == ("cat 70.0%, bee 20.0%, ant 5.1%", "map: bee, peak 0.5")


def test_the_most_probable_come_first_and_ties_in_order() -> None:
    assert topk_classes(np.array([0.1, 0.3, 0.1, 0.5])) == [3, 1, 0, 2]
    assert topk_classes(np.array([0.25, 0.25, 0.25, 0.25]), 3) == [0, 1, 2]


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


@pytest.mark.parametrize(
    ("count", "layer", "asked", "method", "told"),
    [
        (0, "layer3", 0, "GradCAM", "0 images were given. Choose 1 to 48."),
        (MAX_IMAGES + 1, "layer3", 0, "GradCAM", "49 images were given. Choose 1 to 48."),
        (2, "fc", 0, "GradCAM", "There is no layer 'fc' that can carry a map. Choose one of: stem"),
        (2, "layer3", 10, "GradCAM", "There is no class 10; give 0 to 9."),
        (2, "layer3", 0, "CAM", "Unknown method 'CAM'. Available: GradCAM, GradCAM++"),
    ],
)
def test_maps_that_cannot_be_are_refused(
    predictions: Predictions,
    model: nn.Module,
    count: int,
    layer: str,
    asked: int,
    method: str,
    told: str,
) -> None:
    pixels = predictions.examples.pixels(list(range(count)))
    with pytest.raises(ConfigError, match=re.escape(told)):
        compute_cams(model, predictions.checkpoint, pixels, layer, [asked] * count, method)


def test_the_heading_says_how_maps_were_made() -> None:
    told = heading_of("layer3", maps([0.5]), CamRequest(method="LayerCAM", target="true"))
    assert told == "LayerCAM at layer3 (8x8), target: the true class"


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
    assert (
        np.abs(overlay[::SCALE, ::SCALE].astype(int) - heatmap(on_shared_scale([cams])[0][0])).max()
        <= 2
    )
    by_number = opened(
        draw_rows("first", predictions, [11, 3], CamRequest("layer3", "HiResCAM", "8", 1))
    )
    assert np.array_equal(by_number[y:], sheet[y:])


def test_ones_own_picture_is_drawn_with_its_map(finished: Path) -> None:
    run, picture = read_run(finished), np.zeros((64, 48, 3), np.uint8)
    picture[20:40, 10:30] = (250, 40, 60)
    drawn = {
        target: opened(draw_own(run, "best", png(picture), CamRequest(target=target, opacity=0)))
        for target in ("predicted", "star", "8", "2")
    }
    assert np.array_equal(drawn["star"][60:], drawn["8"][60:])
    assert not np.array_equal(drawn["star"], drawn["2"])
    middle = drawn["predicted"][2 * GAP + 2 * LINE + 64, GAP + 52]
    assert middle.tolist() == [250, 40, 60]


@pytest.mark.parametrize(
    ("request", "content", "kind", "told"),
    [
        (CamRequest(target="true"), png(np.zeros((8, 8, 3), np.uint8)), ConfigError, "not known"),
        (CamRequest(target="10"), png(np.zeros((8, 8, 3), np.uint8)), ConfigError, "no class '10'"),
        (CamRequest(layer="fc"), png(np.zeros((8, 8, 3), np.uint8)), ConfigError, "no layer 'fc'"),
        (CamRequest(opacity=1.5), png(np.zeros((8, 8, 3), np.uint8)), ConfigError, "opacity = 1.5"),
        (CamRequest(), b"GIF89a", DataError, "This is a GIF"),
    ],
    ids=["target", "class", "layer", "opacity", "picture"],
)
def test_what_does_not_suit_ones_own_picture_is_refused(
    finished: Path, request: CamRequest, content: bytes, kind: type[CifarCoreError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        draw_own(read_run(finished), "best", content, request)


def test_weights_of_another_model_are_refused(
    predictions: Predictions, finished: Path, tmp_path: Path
) -> None:
    run_dir = Path(shutil.copytree(finished, tmp_path / finished.name))
    path = run_dir / predictions.checkpoint.name
    manifest = {**(read_json(path / "manifest.json") or {}), "model": "resnet18"}
    del manifest["sum"]
    total = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    write_json(path / "manifest.json", {**manifest, "sum": total})
    other = Predictions(
        predictions.log_probs, predictions.examples, read_checkpoint(path), predictions.facts
    )
    with pytest.raises(CheckpointError, match="it was made from a resnet18"):
        draw_rows("first", other, [0], CamRequest())
    with pytest.raises(CheckpointError, match="it was made from a resnet18"):
        draw_own(read_run(run_dir), "best", png(np.zeros((8, 8, 3), np.uint8)), CamRequest())
