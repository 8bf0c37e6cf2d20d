"""Training steps of the engine, and of nothing but the step itself, to be timed."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cifar_core.config.train import TrainConfig
    from cifar_core.data import Dataset
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

BATCH_SIZE, NUM_STEPS, QUICK_STEPS = 128, 12, 3


def made_config(model: str, num_steps: int, **changes: Any) -> "TrainConfig":
    """The settings that both loops follow."""
    from cifar_core.config.train import make_config

    plain = {"data": "shapes10", "schedule": "constant", "lr": 0.01, "val_size": 0}
    size = {"train_size": num_steps * BATCH_SIZE, "batch_size": BATCH_SIZE, "epochs": 2000}
    return make_config({"model": model, **plain, **size, **changes})


def state_of(config: "TrainConfig") -> "tuple[TrainState, TrainingBatches]":
    """A run before its first step."""
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, images(), runtime)
    return TrainState(config, batches, runtime), batches


def images() -> "Dataset":
    """Those of Shapes-10, which everybody has."""
    from cifar_core.data import open_dataset

    return open_dataset("shapes10")


def engine_steps(model: str, num_steps: int, **changes: Any) -> "tuple[Callable[[], None], Any]":
    """One epoch of `num_steps` steps of the engine each time it is called, and its runtime."""
    from cifar_core.training.engine import train_epoch

    config = made_config(model, num_steps, **changes)
    state, batches = state_of(config)

    def steps() -> None:
        deque(train_epoch(config, state, batches), maxlen=0)
        state.epoch += 1
        state.reset_sums()

    steps()
    return steps, batches.runtime


def bare_steps(model: str, num_steps: int) -> "Callable[[], None]":
    """Forward, backward, step on one constant batch, as fast as they go."""
    import torch
    import torch.nn.functional as F

    state, batches = state_of(made_config(model, 1))
    network, optimizer, runtime = state.model, state.optimizer, batches.runtime
    pixels, labels = next(batches.epoch(0))
    device, bf16 = runtime.torch_device, runtime.precision == "bf16"

    def steps() -> None:
        network.train()
        loss = torch.zeros(())
        for _ in range(num_steps):
            with torch.autocast(device.type, torch.bfloat16, bf16):
                logits = network(pixels)
            loss = F.cross_entropy(logits.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        loss.item()

    steps()
    return steps


def lr_test_steps(model: str, num_steps: int) -> "Callable[[], None]":
    """An LR test of `num_steps` steps each time it is called."""
    from cifar_core.config.lr_test import LRTestConfig
    from cifar_core.lr_finder.range_test import range_test

    config, data = made_config(model, num_steps), images()
    # It is to do all steps, so it may not diverge.
    find = LRTestConfig(num_steps=num_steps, start_lr=1e-6, end_lr=1e-3, diverge_factor=1000)

    def steps() -> None:
        ending = range_test(config, find, data, lambda point: None, lambda: False)
        assert ending == "completed", ending

    steps()
    return steps
