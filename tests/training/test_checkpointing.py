"""Going on from a checkpoint: the same weights and figures as if nothing had happened."""

import itertools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset
from cifar_core.errors import CheckpointError
from cifar_core.records.records import Record, StepRecord
from cifar_core.training.checkpointing import load_state, save_checkpoint
from cifar_core.training.engine import train
from cifar_core.training.state import TrainState
from tests.builders import (
    DATA,
    SAVED,
    config_of,
    epochs_of,
    record_each_step,
    set_up,
    single_thread,
    trained,
)

MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="MixUp", p=0.5)))
CASES: dict[str, dict[str, Any]] = {
    "ema": {"ema": 0.9},
    "dropout": {"model": "sepnet_v1", "ema": 0.5},
    "mixup": {"augment": MIXED, "label_smoothing": 0.1},
    "albumentations": {"augment": "eva_resnet18", "num_workers": 0},
    "loader workers": {"augment": "eva_resnet18", "num_workers": 2},
    "adamw": {"optimizer": "adamw", "lr": 0.003, "l1": 1e-4},
    "step": {"schedule": "step", "step_epochs": 1, "memory_format": "contiguous"},
    "speednet": {"model": "speednet", "epochs": 2},
    "no validation": {"val_size": 16, "train_size": 48, "schedule": "cosine"},
}
# With a record of each step: 0 1 2 steps, 3 4 validation and test, 5 the epoch; then from 6 on.
PER_EPOCH = 6
TIMES = {"images_per_s": 0, "train_s": 0, "eval_s": 0, "elapsed_s": 0}
each_step = pytest.fixture(record_each_step, autouse=True)
one_thread = pytest.fixture(single_thread, autouse=True)


def figures(records: list[Record]) -> list[dict[str, Any]]:
    """Of the epochs, the times left out."""
    return [{**asdict(r), **TIMES} for r in epochs_of(records)]


def interrupted(
    config: TrainConfig, data: Dataset, run_dir: Path, *stops: int
) -> tuple[TrainState, list[Record]]:
    """Trains, and at each of the records numbered `stops` leaves and goes on from the disk."""
    state, batches = set_up(config, data)
    records: list[Record] = []
    seen = 0
    for stop in stops:
        for record in train(config, data, state, batches):
            records.append(record)
            seen += 1
            if seen > stop:
                break
        checkpoint = save_checkpoint(run_dir, "last", state, config.model, DATA)
        state, batches = set_up(config, data)
        load_state(checkpoint, state)
    records.extend(train(config, data, state, batches))
    return state, records


def assert_same(first: TrainState, second: TrainState) -> None:
    assert (first.epoch, first.step) == (second.epoch, second.step)
    for one, other in ((first.model, second.model), (first.eval_model, second.eval_model)):
        theirs = other.state_dict()
        for name, value in one.state_dict().items():
            assert torch.equal(value, theirs[name]), name


def test_a_run_resumed_after_any_record_is_the_same_run(tiny: Dataset, tmp_path: Path) -> None:
    config = config_of()
    expected, records = trained(config, tiny)
    assert len(records) == 3 * PER_EPOCH
    for stop in range(len(records)):
        run_dir = tmp_path / str(stop)
        run_dir.mkdir()
        state, found = interrupted(config, tiny, run_dir, stop)
        assert_same(expected, state)
        assert figures(found) == figures(records), stop


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(
    tiny: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Interrupted in mid-epoch, or at any boundary between two epochs."""
    config = config_of(**changes)
    expected, records = trained(config, tiny)
    for stop in (PER_EPOCH + 1, *range(PER_EPOCH - 1, len(records), PER_EPOCH)):
        run_dir = tmp_path / str(stop)
        run_dir.mkdir()
        state, found = interrupted(config, tiny, run_dir, stop)
        assert_same(expected, state)
        assert figures(found) == figures(records), stop


# What a checkpoint holds, and how a state would begin without it.
PARTS: dict[str, Callable[[TrainState, TrainState], None]] = {
    "weights": lambda state, fresh: take(state.model, fresh.model, buffers=False),
    "buffers": lambda state, fresh: take(state.model, fresh.model, buffers=True),
    "averaged weights": lambda state, fresh: take(
        state.eval_model, fresh.eval_model, buffers=False
    ),
    "averaged buffers": lambda state, fresh: take(state.eval_model, fresh.eval_model, buffers=True),
    "optimizer": lambda state, fresh: state.optimizer.state.clear(),
    "epoch": lambda state, fresh: setattr(state, "epoch", 0),
    "step": lambda state, fresh: setattr(state, "step", state.step - 1),
    "loss sum": lambda state, fresh: setattr(state, "loss_sum", fresh.loss_sum),
    "correct ones": lambda state, fresh: setattr(state, "num_correct", fresh.num_correct),
    "images seen": lambda state, fresh: setattr(state, "num_seen", 0),
}


def take(model: nn.Module, fresh: nn.Module, buffers: bool) -> None:
    """Puts the values of a fresh model in place of the parameters, or of the buffers."""
    names = {name for name, _ in model.named_buffers()}
    mine = model.state_dict()
    for name, value in fresh.state_dict().items():
        if (name in names) is buffers:
            mine[name].copy_(value)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("part", PARTS)
def test_without_any_part_of_the_state_it_would_be_another_run(
    tiny: Dataset, tmp_path: Path, part: str, optimizer: str
) -> None:
    """So that the tests above do see whether a part is missing."""
    config = config_of(ema=0.9, optimizer=optimizer, lr=0.01)
    expected, records = trained(config, tiny)
    state, batches = set_up(config, tiny)
    before = list(itertools.islice(train(config, tiny, state, batches), PER_EPOCH + 2))
    checkpoint = save_checkpoint(tmp_path, "last", state, config.model, DATA)
    resumed, batches = set_up(config, tiny)
    load_state(checkpoint, resumed)
    fresh, _ = set_up(config, tiny)
    PARTS[part](resumed, fresh)
    after = list(train(config, tiny, resumed, batches))
    same = figures(before + after) == figures(records)
    theirs = expected.eval_model.state_dict()
    same &= all(torch.equal(v, theirs[n]) for n, v in resumed.eval_model.state_dict().items())
    assert not same


def test_a_run_may_be_interrupted_again_and_again(tiny: Dataset, tmp_path: Path) -> None:
    config = config_of(ema=0.7, model="sepnet_v1")
    expected, records = trained(config, tiny)
    state, found = interrupted(config, tiny, tmp_path, 0, 1, 5, 10)
    assert_same(expected, state)
    assert figures(found) == figures(records)


@pytest.mark.parametrize("stop", [0, 2, 3, 4])
def test_the_time_of_an_epoch_is_that_of_all_its_steps(
    tiny: Dataset, tmp_path: Path, stop: int
) -> None:
    """Left after a step, after the last one, or during the evaluation: all three steps count."""
    config = config_of(epochs=1)
    _, records = interrupted(config, tiny, tmp_path, stop)
    (epoch,) = epochs_of(records)
    num_images = 3 * config.batch_size
    assert epoch.images_per_s * epoch.train_s == pytest.approx(num_images)
    steps = [record for record in records if isinstance(record, StepRecord)]
    own = sum(config.batch_size / record.images_per_s for record in steps)
    assert epoch.train_s == pytest.approx(own, abs=0.05)


def test_a_checkpoint_from_before_times_were_kept_gives_those_after_it(
    tiny: Dataset, tmp_path: Path
) -> None:
    config = config_of(epochs=1)
    state, batches = set_up(config, tiny)
    next(train(config, tiny, state, batches))
    progress = state.progress()
    del progress["num_timed"], progress["train_s"]
    resumed, batches = set_up(config, tiny)
    resumed.model.load_state_dict(state.model.state_dict())
    resumed.restore(progress)
    (epoch,) = epochs_of(list(train(config, tiny, resumed, batches)))
    assert epoch.images_per_s * epoch.train_s == pytest.approx(2 * config.batch_size)


def test_the_number_of_loader_workers_changes_nothing(tiny: Dataset) -> None:
    states = [
        trained(config_of(augment="eva_resnet18", num_workers=n, epochs=1), tiny)[0]
        for n in (0, 1, 2)
    ]
    assert_same(states[0], states[1])
    assert_same(states[0], states[2])


def test_a_finished_run_has_nothing_to_go_on_with(tiny: Dataset, tmp_path: Path) -> None:
    config = config_of()
    state, batches = set_up(config, tiny)
    list(train(config, tiny, state, batches))
    checkpoint = save_checkpoint(tmp_path, "last", state, *SAVED)
    fresh, batches = set_up(config, tiny)
    load_state(checkpoint, fresh)
    assert list(train(config, tiny, fresh, batches)) == []


def test_optimizer_and_sums_come_back(tiny: Dataset, tmp_path: Path) -> None:
    config = config_of()
    state, batches = set_up(config, tiny)
    next(train(config, tiny, state, batches))
    fresh, _ = set_up(config, tiny)
    load_state(save_checkpoint(tmp_path, "last", state, *SAVED), fresh)
    assert (fresh.epoch, fresh.step, fresh.num_seen) == (0, 1, 16)
    assert fresh.loss_sum.item() == state.loss_sum.item() > 0
    assert fresh.num_correct.item() == state.num_correct.item()
    mine, theirs = state.optimizer.state_dict(), fresh.optimizer.state_dict()
    assert mine["param_groups"] == theirs["param_groups"]
    for number, buffers in mine["state"].items():
        buffer = theirs["state"][number]["momentum_buffer"]
        assert torch.equal(buffers["momentum_buffer"], buffer)


def test_a_best_checkpoint_is_not_to_be_resumed_from(tiny: Dataset, tmp_path: Path) -> None:
    state, _ = set_up(config_of(), tiny)
    checkpoint = save_checkpoint(tmp_path, "best", state, *SAVED)
    with pytest.raises(CheckpointError, match="has only weights"):
        load_state(checkpoint, state)


@pytest.mark.parametrize("other", [{"model": "sepnet_v1"}, {"ema": 0.9}])
def test_a_checkpoint_of_another_config_is_refused(
    tiny: Dataset, tmp_path: Path, other: dict[str, Any]
) -> None:
    state, _ = set_up(config_of(), tiny)
    checkpoint = save_checkpoint(tmp_path, "last", state, *SAVED)
    different, _ = set_up(config_of(**other), tiny)
    with pytest.raises(CheckpointError, match="last-0000000"):
        load_state(checkpoint, different)
