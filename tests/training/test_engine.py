"""The engine against a textbook loop written here, bit for bit, and its records by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset
from cifar_core.errors import ConfigError
from cifar_core.models import create_model
from cifar_core.records.records import StepRecord
from cifar_core.system.runtime import choose_runtime
from cifar_core.system.seeds import Purpose, derive_seed
from cifar_core.training.batches import TrainingBatches
from cifar_core.training.engine import train
from cifar_core.training.optim import lr_at
from tests.builders import (
    config_of,
    epochs_of,
    record_each_step,
    set_up,
    single_thread,
    textbook_loss,
    textbook_model,
    trained,
)

MIXED = AugmentSpec(operations=(Operation(name="PadCrop"), Operation(name="MixUp", p=0.6)))
CASES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "contiguous": {"memory_format": "contiguous"},
    "momentum 0": {"momentum": 0},
    "label smoothing": {"label_smoothing": 0.2},
    "batch norm": {"bn_momentum": 0.4},
    "cycled momentum": {"momentum": 0.95, "base_momentum": 0.85},
    "l1": {"l1": 1e-3},
    "adamw": {"optimizer": "adamw", "lr": 3e-3},
    "dropout": {"model": "sepnet_v1"},
    "mixup": {"augment": MIXED},
    "ema": {"ema": 0.8},
    "speednet": {"model": "speednet", "epochs": 1},
}
each_step = pytest.fixture(record_each_step)
one_thread = pytest.fixture(single_thread, autouse=True)


@dataclass
class Textbook:
    """What the textbook loop saw: loss and right answers of each batch, and the model."""

    model: nn.Module
    average: dict[str, Tensor]
    losses: list[float] = field(default_factory=list)
    rights: list[int] = field(default_factory=list)


def textbook(config: TrainConfig, data: Dataset) -> Textbook:
    """The same training as any tutorial writes it, with torch's own scheduler."""
    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    model = textbook_model(config, batches)
    parameters = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in parameters if p.ndim > 1]
    groups = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0},
    ]
    if config.optimizer == "adamw":
        optimizer = torch.optim.AdamW(groups, config.lr, (config.momentum, 0.999))
    else:
        nesterov = config.momentum > 0
        optimizer = torch.optim.SGD(groups, config.lr, config.momentum, nesterov=nesterov)
    total_steps = config.epochs * batches.steps_per_epoch
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        config.lr,
        total_steps=total_steps,
        pct_start=config.pct_start,
        cycle_momentum=config.base_momentum > 0,
        base_momentum=config.base_momentum,
        max_momentum=config.momentum,
    )
    seen = Textbook(model, {name: value.clone() for name, value in model.state_dict().items()})
    model.train()
    step = 0
    for epoch in range(config.epochs):
        for images, targets in batches.epoch(epoch):
            torch.manual_seed(derive_seed(config.seed, Purpose.DROPOUT, epoch, step))
            logits = model(images)
            loss = textbook_loss(config, logits, targets)
            penalty = sum((w.abs().sum() for w in weights), torch.zeros(()))
            optimizer.zero_grad()
            (loss + config.l1 * penalty).backward()
            optimizer.step()
            scheduler.step()
            step += 1
            classes = targets if targets.ndim == 1 else targets.argmax(1)
            seen.losses.append(loss.item())
            seen.rights.append(int((logits.argmax(1) == classes).sum()))
            n = len(seen.losses) - 1  # steps before this one
            decay = min(config.ema, (1 + n) / (10 + n))
            for name, value in model.state_dict().items():
                if value.is_floating_point():
                    seen.average[name] = decay * seen.average[name] + (1 - decay) * value
    return seen


@pytest.fixture(autouse=True)
def own_generators() -> Iterator[None]:
    """The textbook loop seeds torch's global generators, as textbooks do."""
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.mark.usefixtures("each_step")
@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_training_equals_the_textbook_loop_bit_for_bit(
    tiny: Dataset, changes: dict[str, Any]
) -> None:
    config = config_of(**changes)
    state, records = trained(config, tiny)
    expected = textbook(config, tiny)
    # Losses times 16 add up without rounding in float64, so their differences are exact.
    assert [r.loss for r in records if isinstance(r, StepRecord)] == expected.losses
    for name, value in expected.model.state_dict().items():
        assert torch.equal(state.model.state_dict()[name], value), name
    if state.ema_model is not None:
        for name, value in expected.average.items():
            mine = state.ema_model.state_dict()[name]
            if value.is_floating_point():
                torch.testing.assert_close(mine, value, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("each_step")
def test_training_with_the_focal_loss_is_that_of_the_textbook_loop(tiny: Dataset) -> None:
    config = config_of(loss="focal", focal_gamma=1.5, epochs=2)
    _, records = trained(config, tiny)
    losses = [r.loss for r in records if isinstance(r, StepRecord)]
    # The two round differently, which grows from step to step.
    assert losses[:4] == pytest.approx(textbook(config, tiny).losses[:4], rel=1e-4)


@pytest.mark.parametrize("name", ["sgd", "mixup", "label smoothing"])
def test_train_figures_of_an_epoch_are_the_sums_over_its_batches(tiny: Dataset, name: str) -> None:
    config = config_of(**CASES[name])
    _, records = trained(config, tiny)
    expected = textbook(config, tiny)
    for record in epochs_of(records):
        mine = slice(3 * (record.epoch - 1), 3 * record.epoch)
        assert record.train_loss == sum(expected.losses[mine]) / 3
        assert record.train_acc == sum(expected.rights[mine]) / 48


@pytest.mark.usefixtures("each_step")
def test_step_records_add_up_to_their_epoch(tiny: Dataset) -> None:
    config = config_of(augment="cutout")
    _, records = trained(config, tiny)
    for epoch in epochs_of(records):
        steps = [r for r in records if isinstance(r, StepRecord) and r.epoch == epoch.epoch]
        assert [s.step for s in steps] == [epoch.step - 2, epoch.step - 1, epoch.step]
        assert [s.lr for s in steps] == [lr_at(config, s.step - 1, 9) for s in steps]
        assert sum(s.loss for s in steps) / 3 == pytest.approx(epoch.train_loss, rel=1e-12)
        assert sum(s.acc for s in steps) / 3 == pytest.approx(epoch.train_acc, rel=1e-12)
        assert all(s.images_per_s > 0 for s in steps)


def test_epochs_count_from_one_and_name_their_last_step(tiny: Dataset) -> None:
    config = config_of()
    state, records = trained(config, tiny)
    epochs = epochs_of(records)
    assert [(e.epoch, e.step) for e in epochs] == [(1, 3), (2, 6), (3, 9)]
    assert [e.lr for e in epochs] == [lr_at(config, step, 9) for step in (2, 5, 8)]
    assert all(e.images_per_s > 0 and e.train_s > 0 and e.eval_s > 0 for e in epochs)
    assert (state.epoch, state.step, state.num_seen) == (3, 9, 0)


@pytest.mark.parametrize(("batch_size", "steps"), [(2, 25), (16, 3), (17, 2), (25, 2), (50, 1)])
def test_an_epoch_has_as_many_steps_as_there_are_full_batches(
    tiny: Dataset, batch_size: int, steps: int
) -> None:
    (epoch,) = epochs_of(trained(config_of(epochs=1, batch_size=batch_size), tiny)[1])
    assert epoch.step == steps


def test_a_batch_larger_than_the_data_is_refused(tiny: Dataset) -> None:
    with pytest.raises(ConfigError, match="batch_size = 51 is more than the 50 training images"):
        next(train(config_of(batch_size=51), tiny))


def test_sixty_four_images_of_noise_are_learnt_by_heart(tiny: Dataset) -> None:
    seen_again = Dataset("By heart", tiny.classes, tiny.train, tiny.train, "made up")
    config = config_of(val_size=0, augment="none", epochs=30, lr=0.2, weight_decay=0)
    last = epochs_of(trained(config, seen_again)[1])[-1]
    assert last.train_acc == 1.0
    assert last.test_acc == 1.0
    assert last.test_loss < 0.1


def test_a_seed_determines_the_run(tiny: Dataset) -> None:
    first, again, other = (
        trained(config_of(model="sepnet_v1", seed=seed), tiny) for seed in (1, 1, 2)
    )
    for name, value in first[0].model.state_dict().items():
        assert torch.equal(value, again[0].model.state_dict()[name]), name
    for one, two in zip(epochs_of(first[1]), epochs_of(again[1]), strict=True):
        assert (one.train_loss, one.val_loss) == (two.train_loss, two.val_loss)
    theirs = other[0].model.state_dict()
    assert not any(
        torch.equal(value, theirs[name])
        for name, value in first[0].model.state_dict().items()
        if name.endswith("weight")
    )


def test_without_a_state_the_run_is_the_same(tiny: Dataset) -> None:
    config = config_of(epochs=1)
    (given,), (made,) = epochs_of(trained(config, tiny)[1]), epochs_of(list(train(config, tiny)))
    assert (given.train_loss, given.test_loss) == (made.train_loss, made.test_loss)


def test_speednet_begins_with_filters_made_from_the_images(tiny: Dataset) -> None:
    from cifar_core.models.speednet import whitening_filters

    config = config_of(model="speednet")
    state, batches = set_up(config, tiny)
    torch.manual_seed(derive_seed(config.seed, Purpose.INIT))
    untouched = create_model("speednet").state_dict()
    found = state.model.state_dict()
    filters = whitening_filters(batches.sample(2000)).view(12, 3, 2, 2)
    assert torch.equal(found["whiten.weight"][:12], filters)
    assert torch.equal(found["whiten.weight"][12:], -filters)
    assert not torch.equal(found["whiten.weight"], untouched["whiten.weight"])
    assert torch.equal(found["fc.weight"], untouched["fc.weight"])


def test_mixed_losses_are_those_of_soft_targets(tiny: Dataset) -> None:
    config = config_of(augment=MIXED, epochs=1)
    _, batches = set_up(config, tiny)
    shapes = [targets.shape for _, targets in batches.epoch(0)]
    assert {len(shape) for shape in shapes} == {1, 2}  # or the test before shows too little
    logits = torch.randn(16, 10)
    images, targets = next((i, t) for i, t in batches.epoch(0) if t.ndim == 2)
    by_hand = -(targets * F.log_softmax(logits, 1)).sum(1).mean()
    torch.testing.assert_close(F.cross_entropy(logits, targets), by_hand)
    assert len(images) == 16
