"""What TensorBoard is given, read by its own reader, against what the run has kept."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import open_dataset
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.maps import CamRequest, draw_rows
from cifar_core.jobs.events import BINS, NUM_ERRORS, _write_histogram, grid
from cifar_core.models import create_model
from cifar_core.models.graph import graph_of
from cifar_core.records.records import read_metrics
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.training.batches import redraw
from tests.cli.test_explain import table_of

SIZES = {"scalars": 0, "images": 0, "histograms": 0}


def events_of(run_dir: Path) -> EventAccumulator:
    return EventAccumulator(str(run_dir / "tensorboard"), size_guidance=SIZES).Reload()


def images_of(events: EventAccumulator, tag: str) -> list[tuple[int, NDArray[np.uint8]]]:
    """(step, (H, W, 3) pixels) of each image."""
    found = []
    for event in events.Images(tag):
        with Image.open(io.BytesIO(event.encoded_image_string)) as picture:
            found.append((event.step, np.asarray(picture)))
    return found


@pytest.fixture(scope="module")
def events(finished: Path) -> EventAccumulator:
    return events_of(finished)


def test_every_tag_is_there(events: EventAccumulator) -> None:
    tags: dict[str, Any] = events.Tags()
    names = [name for name, _ in create_model("convnet").named_parameters()]
    assert set(tags["histograms"]) == {f"weights/{name}" for name in names}
    assert set(tags["images"]) == {"images/augmented", "images/errors"}
    assert {"epoch/train_loss", "epoch/test_acc", "step/loss", "step/lr"} <= set(tags["scalars"])
    assert tags["graph"]


def test_scalars_are_the_records(events: EventAccumulator, finished: Path) -> None:
    recorded = [e.test_acc for e in read_metrics(finished / "metrics.jsonl").epochs]
    written = [scalar.value for scalar in events.Scalars("epoch/test_acc")]
    assert written == pytest.approx(recorded)


def test_augmented_images_are_the_first_batch_of_each_kept_epoch(
    events: EventAccumulator, finished: Path
) -> None:
    config = read_run(finished, TrainingRun).config
    written = images_of(events, "images/augmented")
    ends = {e.epoch: e.step for e in read_metrics(finished / "metrics.jsonl").epochs}
    assert [step for step, _ in written] == [ends[e] for e in config.checkpoint_epochs]
    data = open_dataset("shapes10")
    for epoch, (_, picture) in zip(config.checkpoint_epochs, written, strict=True):
        pixels, _ = redraw(config, data, epoch - 1, 0)
        assert picture.shape == (256, 256, 3)
        for number in range(64):
            y, x = divmod(number, 8)
            cell = picture[32 * y : 32 * y + 32, 32 * x : 32 * x + 32]
            assert np.array_equal(cell, pixels[number]), (epoch, number)


def test_errors_are_those_of_explain_with_their_maps(
    events: EventAccumulator, evaluated: Path
) -> None:
    predictions = table_of(evaluated)
    rows = most_confident_errors(predictions, NUM_ERRORS)
    with Image.open(io.BytesIO(draw_rows("first", predictions, rows, CamRequest()))) as picture:
        expected = np.asarray(picture)
    ((step, written),) = images_of(events, "images/errors")
    assert step == read_metrics(evaluated / "metrics.jsonl").epochs[-1].step
    assert written.shape == expected.shape
    # The predictions of the run and those of an evaluation differ in rounding at the most.
    assert (written != expected).mean() < 0.001


def test_histograms_are_those_of_the_weights_that_were_kept(
    events: EventAccumulator, finished: Path
) -> None:
    last = find_checkpoint(finished, "last")
    ends = [e.step for e in read_metrics(finished / "metrics.jsonl").epochs]
    for name, values in load_file(last.path / "weights.safetensors").items():
        if f"weights/{name}" not in events.Tags()["histograms"]:
            continue
        written = events.Histograms(f"weights/{name}")
        assert [event.step for event in written] == ends
        check(written[-1].histogram_value, values)


def check(histogram: Any, values: torch.Tensor) -> None:
    """Compares with numpy's; a value on the edge of two bins may be counted in either."""
    array = values.double().numpy().ravel()
    counts, edges = np.histogram(array, BINS)
    assert histogram.num == array.size == sum(histogram.bucket)
    assert (histogram.min, histogram.max) == (array.min(), array.max())
    assert histogram.sum == pytest.approx(array.sum(), rel=1e-4, abs=1e-4)
    assert histogram.sum_squares == pytest.approx((array**2).sum(), rel=1e-4)
    if array.min() < array.max():
        assert np.allclose(histogram.bucket_limit, edges[1:], atol=1e-6)
        assert np.abs(np.cumsum(histogram.bucket) - np.cumsum(counts)).max() <= 1 + array.size / 1e4


def test_the_graph_is_that_of_the_model(events: EventAccumulator) -> None:
    expected, _ = graph_of(create_model("convnet"), "convnet")
    assert events.Graph() == expected


@pytest.mark.parametrize("values", [[1.0, 1.0], [0.0], [-3.0, 5.0], [float("nan"), 1.0]])
def test_histograms_of_a_few_values(values: list[float], tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "tensorboard")) as writer:
        _write_histogram(writer, "weights/a", torch.tensor(values), 7)
    tags: Any = events_of(tmp_path).Tags()
    if not np.isfinite(values).all():
        assert tags["histograms"] == []
        return
    (written,) = events_of(tmp_path).Histograms("weights/a")
    assert written.step == 7
    check(written.histogram_value, torch.tensor(values))


def test_a_grid_is_filled_row_by_row_and_white_at_its_end() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (10, 32, 32, 3), dtype=np.uint8)
    picture = grid(pixels)
    assert picture.shape == (64, 256, 3)
    assert np.array_equal(picture[:32, 224:], pixels[7])
    assert np.array_equal(picture[32:, 32:64], pixels[9])
    assert (picture[32:, 64:] == 255).all()
