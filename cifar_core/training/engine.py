"""The training step and the loop around it. It yields records; it neither writes nor prints."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset
from cifar_core.errors import TrainingError
from cifar_core.records.records import EpochRecord, EvalProgress, Record, StepRecord
from cifar_core.system.runtime import choose_runtime
from cifar_core.system.seeds import Purpose, derive_seed, seeded
from cifar_core.training.batches import TrainingBatches
from cifar_core.training.inference import Score, log_probabilities, score
from cifar_core.training.loss import batch_loss
from cifar_core.training.optim import ema_decay, l1_norm, lr_at, set_rates, update_ema
from cifar_core.training.state import TrainState

RECORD_EVERY_S = 0.5  # so that reading the loss, which waits for the device, is rare


def train(
    config: TrainConfig,
    data: Dataset,
    state: TrainState | None = None,
    batches: TrainingBatches | None = None,
) -> Iterator[Record]:
    """Trains a model and yields records of each stretch of steps and of each epoch.

    Between two records the state is at the end of a step, so that the caller may keep it
    (`checkpoint.save`) or leave.

    Args:
        data: Opened by `data.open_dataset`.
        state: To go on from; made anew, and lost at the end, if not given.
        batches: What the state was made with.

    Raises:
        TrainingError: if the loss is no longer finite.
    """
    if batches is None:
        runtime = choose_runtime(config.device, config.precision, config.memory_format)
        batches = TrainingBatches(config, data, runtime)
    state = state or TrainState(config, batches, batches.runtime)
    while state.epoch < config.epochs:
        yield from train_epoch(config, state, batches)
        trained = time.perf_counter()
        scores: dict[str, Score] = {}
        yield from _evaluate(state, batches, scores)
        record = replace(
            _epoch_record(config, state, batches, scores),
            images_per_s=state.num_timed / state.train_s if state.train_s else 0.0,
            train_s=state.train_s,
            eval_s=time.perf_counter() - trained,
        )
        state.epoch += 1
        state.reset_sums()
        yield record


def train_epoch(
    config: TrainConfig, state: TrainState, batches: TrainingBatches
) -> Iterator[StepRecord]:
    """Takes the steps that are left of the epoch; the loop that all the rest is for."""
    runtime, model, optimizer = batches.runtime, state.model, state.optimizer
    device, bf16 = runtime.torch_device, runtime.precision == "bf16"
    total_steps = config.epochs * batches.steps_per_epoch
    first = state.step - state.epoch * batches.steps_per_epoch
    meter = _Meter(state)
    model.train()
    for images, targets in batches.epoch(state.epoch, first):
        lr = set_rates(optimizer, config, state.step, total_steps)
        dropout_seed = derive_seed(config.seed, Purpose.DROPOUT, state.epoch, state.step)
        with seeded(dropout_seed, device), torch.autocast(device.type, torch.bfloat16, bf16):
            logits = state.forward(images)
        loss = batch_loss(config, logits, targets)
        objective = loss + config.l1 * l1_norm(model) if config.l1 else loss
        optimizer.zero_grad(set_to_none=True)
        objective.backward()
        optimizer.step()
        if state.ema_model is not None:
            update_ema(state.ema_model, model, ema_decay(config.ema, state.step))
        state.step += 1
        state.count(loss, logits, targets)
        if meter.due():
            yield meter.read(state, lr)
    meter.read(state, 0.0)  # so that an epoch without a record is checked, too


def _check(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} at step {step} or before: training diverged. "
            "Start again with a lower lr, or with a longer warm-up (pct_start)."
        )


class _Meter:
    """Reads loss, accuracy and speed since the reading before."""

    def __init__(self, state: TrainState) -> None:
        self.since = time.perf_counter()
        self.loss_sum = state.loss_sum.item()
        self.num_correct, self.num_seen = state.num_correct.item(), state.num_seen

    def due(self) -> bool:
        return time.perf_counter() - self.since >= RECORD_EVERY_S

    def read(self, state: TrainState, lr: float) -> StepRecord:
        loss_sum, num_correct = state.loss_sum.item(), state.num_correct.item()
        seen = max(state.num_seen - self.num_seen, 1)
        _check(loss_sum, state.step)
        now = time.perf_counter()
        state.train_s += now - self.since
        state.num_timed += state.num_seen - self.num_seen
        record = StepRecord(
            epoch=state.epoch + 1,
            step=state.step,
            loss=(loss_sum - self.loss_sum) / seen,
            acc=(num_correct - self.num_correct) / seen,
            lr=lr,
            images_per_s=seen / max(now - self.since, 1e-9),
        )
        self.since, self.loss_sum = now, loss_sum
        self.num_correct, self.num_seen = num_correct, state.num_seen
        return record


def _evaluate(
    state: TrainState, batches: TrainingBatches, scores: dict[str, Score]
) -> Iterator[EvalProgress]:
    """Fills `scores` for "val" and "test"; yields on the way so that a stop is heard."""
    for split, (images, labels) in batches.evaluated.items():
        parts, done = [], 0
        mean, std = batches.mean, batches.std
        if split == "test":
            mean, std = batches.test_mean, batches.test_std
        for part in log_probabilities(state.eval_model, images, mean, std, batches.runtime):
            parts.append(part)
            done += len(part)
            yield EvalProgress(split, done, len(images))
        log_probs = torch.cat(parts)
        scores[split] = score(log_probs, labels)
        _check(scores[split].loss, state.step)
        if split == "test":
            state.test_log_probs = log_probs.numpy()


def _epoch_record(
    config: TrainConfig, state: TrainState, batches: TrainingBatches, scores: dict[str, Score]
) -> EpochRecord:
    val, test = scores.get("val"), scores["test"]
    return EpochRecord(
        epoch=state.epoch + 1,
        step=state.step,
        train_loss=state.loss_sum.item() / state.num_seen,
        train_acc=state.num_correct.item() / state.num_seen,
        val_loss=val.loss if val else None,
        val_acc=val.acc if val else None,
        test_loss=test.loss,
        test_acc=test.acc,
        lr=lr_at(config, max(state.step - 1, 0), config.epochs * batches.steps_per_epoch),
    )
