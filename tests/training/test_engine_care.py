"""What the engine takes care of: modes, divergence, the random state."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.data import Dataset
from cifar_core.errors import TrainingError
from cifar_core.records.records import EpochRecord, EvalProgress, Record, StepRecord
from cifar_core.training import engine, state
from cifar_core.training.engine import train
from tests.builders import config_of, set_up, single_thread

MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="MixUp", p=1)))
RANDOM = {
    "batched": {"augment": "cutout"},
    "dropout": {"model": "sepnet_v1"},
    "mixup": {"augment": MIXED},
    "albumentations": {"augment": "eva_resnet18", "num_workers": 0},
    "loader workers": {"augment": "eva_resnet18", "num_workers": 1},
}
one_thread = pytest.fixture(single_thread, autouse=True)


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
    monkeypatch.setattr(state, "create_model", lambda name, num_classes: model)


def test_training_is_in_train_mode_and_evaluation_in_eval_mode(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy()
    use(monkeypatch, spy)
    for record in train(config_of(epochs=2), tiny):
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
    for _ in train(config_of(**changes, epochs=2), tiny):
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
