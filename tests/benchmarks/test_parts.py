"""What the measurements compare before they time anything, and the runs they read."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import augmenting, live_refresh, steps, textbook
from benchmarks.fake_runs import alive, copy_run, store_run
from benchmarks.frame import Unequal
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs
from tests.builders import single_thread

one_thread = pytest.fixture(single_thread)


@pytest.mark.usefixtures("one_thread")
def test_the_engine_and_the_textbook_loop_have_the_same_losses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "BATCH_SIZE", 16)
    for model in ("convnet", "sepnet_v1"):  # the latter drops activations at random
        assert "4 steps on the same batches in fp32" in textbook.check(model)
    monkeypatch.setattr(textbook, "textbook_loop", lambda *arguments: [2.0, 2.0])
    with pytest.raises(Unequal, match="the mean loss of 2 steps is"):
        textbook.check("convnet")


def test_without_draws_all_ways_to_augment_agree() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    mean, std = np.full(3, 0.4, np.float32), np.full(3, 0.2, np.float32)
    assert "all ways give the same floats" in augmenting.check(pixels, mean, std)


@pytest.mark.parametrize("name", ["ours", *augmenting.PEERS])
def test_with_draws_every_way_gives_each_image_its_own(name: str) -> None:
    make = {"ours": augmenting.batched, **augmenting.PEERS}[name]
    image = np.random.default_rng(0).integers(1, 256, (32, 32, 3), dtype=np.uint8)
    found = make(np.zeros(3, np.float32), np.ones(3, np.float32), True)(np.stack([image] * 16))
    assert tuple(found.shape) == (16, 3, 32, 32)
    assert len({part.numpy().tobytes() for part in found}) == 16
    holes = (found == 0).all(dim=1).sum(dim=(1, 2))
    assert holes.min() >= augmenting.SIZE**2


def test_stored_runs_are_those_of_workers(tmp_path: Path) -> None:
    first = store_run(tmp_path, 800, "run 0")
    for number in (1, 2):
        copy_run(first, number)
    assert {run.name: run.state for run in list_runs(tmp_path)} == {
        f"run {number}": RunState.COMPLETED for number in range(3)
    }
    metrics = read_metrics(first / "metrics.jsonl")
    assert (len(metrics.steps), len(metrics.epochs), metrics.damaged) == (800, 2, 0)
    with alive(first):
        assert list_runs(tmp_path)[0].state is RunState.RUNNING


def test_values_are_read_as_plotly_packs_them() -> None:
    import plotly.graph_objects as go

    figure = go.Figure().add_scatter(y=np.array([1.0, 98.5])).to_dict()
    assert live_refresh.values_of(figure["data"][0]["y"]) == [1.0, 98.5]
    assert live_refresh.values_of([1, 2]) == [1, 2]
