"""What the engine takes care of: modes, averages, figures, divergence, the random state."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core import engine
from cifar_core.augment import AugmentSpec, Operation
from cifar_core.batches import TrainingBatches
from cifar_core.config import TrainConfig, make_config
from cifar_core.data import Dataset
from cifar_core.engine import TrainState, train
from cifar_core.errors import TrainingError
from cifar_core.evaluation import Score, log_probabilities, score
from cifar_core.models import create_model
from cifar_core.records import EpochRecord, EvalProgress, Record, StepRecord
from cifar_core.runtime import choose_runtime

MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="MixUp", p=1)))


def config_of(**changes: Any) -> TrainConfig:
    """Two epochs of three steps of 16 of the tiny data's 50 training images."""
    values: dict[str, Any] = {
        "model": "convnet",
        "epochs": 2,
        "batch_size": 16,
        "val_size": 14,
        "device": "cpu",
        "precision": "fp32",
    }
    return make_config({**values, **changes})


def set_up(config: TrainConfig, data: Dataset) -> tuple[TrainState, TrainingBatches]:
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    return TrainState(config, batches, runtime), batches


def last_epoch(records: list[Record]) -> EpochRecord:
    return [record for record in records if isinstance(record, EpochRecord)][-1]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Batches this small only suffer from threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Spy(nn.Module):
    """A linear model that notes the mode of each call; `factor` scales the logits by call."""

    def __init__(self, factors: dict[int, float] | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(3072, 10)
        self.factors = factors or {}
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        self.modes.append(self.training)
        return self.linear(images.flatten(1)) * self.factors.get(len(self.modes), 1.0)


def use(monkeypatch: pytest.MonkeyPatch, model: nn.Module) -> None:
    monkeypatch.setattr(engine, "create_model", lambda name, num_classes: model)


def judged_by_hand(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, data: Dataset
) -> Score:
    """Loss and accuracy image by image, from the definition."""
    model.eval()
    losses, rights = [], 0
    pixels = (images / 255 - data.mean) / data.std
    with torch.no_grad():
        for image, label in zip(pixels, labels, strict=True):
            logits = model(torch.tensor(image, dtype=torch.float32).permute(2, 0, 1)[None])[0]
            losses.append((logits.exp().sum().log() - logits[label]).item())
            rights += int(logits.argmax()) == label
    model.train()
    return Score(sum(losses) / len(losses), rights / len(losses))


def test_val_and_test_figures_equal_an_evaluation_by_hand(tiny: Dataset) -> None:
    config = config_of(model="sepnet_v1", optimizer="adamw", lr=0.005)
    state, batches = set_up(config, tiny)
    record = last_epoch(list(train(config, tiny, state, batches)))
    held_out = np.setdiff1d(np.arange(64), batches.indices)
    assert len(held_out) == 14
    val = judged_by_hand(
        state.model, tiny.train.images[held_out], tiny.train.labels[held_out], tiny
    )
    test = judged_by_hand(state.model, tiny.test.images, tiny.test.labels, tiny)
    assert (record.val_loss, record.test_loss) == pytest.approx((val.loss, test.loss), rel=1e-5)
    assert (record.val_acc, record.test_acc) == pytest.approx((val.acc, test.acc), abs=1e-6)


def test_score_equals_the_hand_figures() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.3, 0.6, 0.1]])
    found = score(probabilities.log(), torch.tensor([0, 2, 2], dtype=torch.uint8))
    assert found.loss == pytest.approx(-np.log(0.5 * 0.8 * 0.1) / 3, rel=1e-6)
    assert found.acc == pytest.approx(2 / 3)


def test_log_probabilities_come_in_order_and_do_not_depend_on_the_batch(tiny: Dataset) -> None:
    model, runtime = create_model("convnet").train(), choose_runtime("cpu", "fp32", "contiguous")
    mean, std = torch.tensor(tiny.mean).float(), torch.tensor(tiny.std).float()
    images = torch.tensor(tiny.test.images)
    whole = torch.cat(list(log_probabilities(model, images, mean, std, runtime)))
    parts = list(log_probabilities(model, images, mean, std, runtime, batch_size=7))
    assert [len(part) for part in parts] == [7, 7, 7, 7, 2]
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(whole.exp().sum(1), torch.ones(30))
    assert whole.dtype == torch.float32
    assert model.training


def test_without_held_out_images_validation_is_none(tiny: Dataset) -> None:
    records = list(train(config_of(val_size=0, epochs=1), tiny))
    record = last_epoch(records)
    assert (record.val_loss, record.val_acc) == (None, None)
    assert record.step == 4
    assert 0 <= record.test_acc <= 1
    assert {r.split for r in records if isinstance(r, EvalProgress)} == {"test"}


def test_the_averaged_model_is_the_one_evaluated(tiny: Dataset) -> None:
    config = config_of(ema=0.95, schedule="constant", lr=0.2)
    state, batches = set_up(config, tiny)
    record = last_epoch(list(train(config, tiny, state, batches)))
    assert state.average is not None
    assert state.judged is state.average
    averaged = judged_by_hand(state.average, tiny.test.images, tiny.test.labels, tiny)
    live = judged_by_hand(state.model, tiny.test.images, tiny.test.labels, tiny)
    assert record.test_loss == pytest.approx(averaged.loss, rel=1e-5)
    assert abs(live.loss - averaged.loss) > 1e-3
    assert not any(p.requires_grad for p in state.average.parameters())


def test_training_is_in_train_mode_and_evaluation_in_eval_mode(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy()
    use(monkeypatch, spy)
    records = train(config_of(), tiny)
    for record in records:
        if isinstance(record, EpochRecord):
            assert spy.training
    one_epoch = [True] * 3 + [False] * 2  # three steps, then val and test
    assert spy.modes == one_epoch * 2
    assert spy.training


def test_a_model_left_in_eval_mode_is_trained_in_train_mode(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy()
    use(monkeypatch, spy)
    config = config_of(epochs=1)
    state, batches = set_up(config, tiny)
    spy.eval()
    list(train(config, tiny, state, batches))
    assert spy.modes[:3] == [True] * 3


def test_an_evaluation_left_half_way_puts_the_mode_back(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy()
    use(monkeypatch, spy)
    records = train(config_of(), tiny)
    while not isinstance(next(records), EvalProgress):
        pass
    records.close()  # pyright: ignore[reportAttributeAccessIssue] # it is a generator
    assert spy.training


@pytest.mark.parametrize(("factor", "word"), [(float("nan"), "nan"), (1e38, "(inf|nan)")])
@pytest.mark.parametrize("bad_step", [1, 2, 3, 7])
def test_a_loss_that_is_no_number_is_told_at_its_step(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, bad_step: int, factor: float, word: str
) -> None:
    monkeypatch.setattr(engine, "RECORD_EVERY_S", 0.0)
    calls_before = 2 * ((bad_step - 1) // 3)  # the evaluations of the epochs before
    use(monkeypatch, Spy({bad_step + calls_before: factor}))
    seen: list[Record] = []
    with pytest.raises(TrainingError, match=f"loss became {word} .*step {bad_step}\\b.* lower lr"):
        seen.extend(train(config_of(epochs=3), tiny))
    assert len([r for r in seen if isinstance(r, StepRecord)]) == bad_step - 1
    assert all(np.isfinite(r.loss) for r in seen if isinstance(r, StepRecord))


def test_a_short_epoch_without_a_record_is_checked_too(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RECORD_EVERY_S", 1e9)
    use(monkeypatch, Spy({2: float("nan")}))
    with pytest.raises(TrainingError, match=r"step 3\b"):
        next(train(config_of(), tiny))


def test_a_run_that_diverges_in_its_very_last_step_is_told_too(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy({1: 1e30, 2: 1e30, 3: 1e30})  # the loss of the only step is still finite
    nn.init.zeros_(spy.linear.weight)
    nn.init.zeros_(spy.linear.bias)
    use(monkeypatch, spy)
    with pytest.raises(TrainingError, match="diverged"):
        list(train(config_of(epochs=1, train_size=16, schedule="constant"), tiny))


RANDOM = {
    "batched": {"augment": "cutout"},
    "dropout": {"model": "sepnet_v1"},
    "mixup": {"augment": MIXED},
    "albumentations": {"augment": "eva_resnet18", "num_workers": 0},
    "loader workers": {"augment": "eva_resnet18", "num_workers": 1},
}


def numpy_state() -> np.ndarray:
    """The words of numpy's global generator."""
    state: Any = np.random.get_state()
    return state[1]


@pytest.mark.parametrize("changes", RANDOM.values(), ids=RANDOM)
def test_training_leaves_the_global_random_states_alone(
    tiny: Dataset, changes: dict[str, Any]
) -> None:
    # Not the `random` module with loader workers: torch itself names its processes with it.
    torch_before, numpy_before = torch.get_rng_state(), numpy_state()
    python_before = random.getstate()
    for _ in train(config_of(**changes), tiny):
        assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(numpy_state(), numpy_before)
    assert random.getstate() == python_before or changes.get("num_workers")


@pytest.mark.parametrize("changes", RANDOM.values(), ids=RANDOM)
def test_the_global_random_states_do_not_matter(tiny: Dataset, changes: dict[str, Any]) -> None:
    found = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            config = config_of(**changes, epochs=1)
            state, batches = set_up(config, tiny)
            list(train(config, tiny, state, batches))
            found.append(torch.cat([p.detach().flatten() for p in state.model.parameters()]))
    assert torch.equal(found[0], found[1])


def test_cross_entropy_of_a_batch_equals_the_hand_figure() -> None:
    logits = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]])
    smoothed = F.cross_entropy(logits, torch.tensor([0, 0]), label_smoothing=0.5)
    by_hand = (np.log(2) - 0.75 * np.log(0.75) - 0.25 * np.log(0.25)) / 2
    assert smoothed.item() == pytest.approx(by_hand)
