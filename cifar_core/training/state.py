"""Everything that changes during a run, and the network before its first step."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cifar_core.checkpoints.checkpoint import load_weights, read_checkpoint
from cifar_core.config.train import TrainConfig
from cifar_core.models import create_model
from cifar_core.system.runtime import Runtime, check_compiler
from cifar_core.system.seeds import Purpose, derive_seed, seeded
from cifar_core.training.batches import TrainingBatches
from cifar_core.training.optim import create_optimizer


class TrainState:
    """Everything that changes during a run; with the config it determines all that follows.

    A config's `weights` is here the folder of a checkpoint. Raises CifarCoreError if that will not
    do, or if the config asks for compiling where there is no compiler.

    Attributes:
        forward: What a training step calls: the model, or its compiled form, of the same weights.
        average: The model of averaged weights, or None without EMA.
        epoch: Epochs finished and evaluated.
        step: Optimizer steps done.
        loss_sum, num_correct, num_seen: Running sums of the epoch under way.
        num_timed, train_s: Images of the epoch under way whose time is known, and the seconds that
            they took, in this process and in earlier ones.
        test_log_probs: (N, K) float32 of the newest epoch, None before the first.
    """

    def __init__(self, config: TrainConfig, batches: TrainingBatches, runtime: Runtime) -> None:
        if config.compile:
            check_compiler(runtime.device)
        self.model = initial_model(config, batches, runtime)
        self.forward = torch.compile(self.model) if config.compile else self.model
        self.ema_model = copy.deepcopy(self.model).requires_grad_(False) if config.ema else None
        self.optimizer = create_optimizer(config, self.model)
        self.epoch, self.step = 0, 0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=runtime.device)
        self.num_correct = torch.zeros((), dtype=torch.int64, device=runtime.device)
        self.num_seen = 0
        self.num_timed, self.train_s = 0, 0.0
        self.test_log_probs: NDArray[np.float32] | None = None

    @property
    def eval_model(self) -> nn.Module:
        """The model that is evaluated and kept: the averaged one if there is one."""
        return self.ema_model or self.model

    def count(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        """Adds one batch to the running sums without waiting for the device."""
        hard = targets if targets.ndim == 1 else targets.argmax(dim=1)
        self.loss_sum += loss.detach() * len(logits)
        self.num_correct += (logits.detach().argmax(dim=1) == hard).sum()
        self.num_seen += len(logits)

    def progress(self) -> dict[str, Any]:
        """All but the weights, as plain values that load with `weights_only=True`."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "loss_sum": self.loss_sum.cpu(),
            "num_correct": self.num_correct.cpu(),
            "num_seen": self.num_seen,
            "num_timed": self.num_timed,
            "train_s": self.train_s,
        }

    def restore(self, progress: dict[str, Any]) -> None:
        """Takes back what `progress` gave; times are missing from what early versions saved.

        Raises:
            LookupError, RuntimeError, TypeError, ValueError: if it does not fit.
        """
        self.optimizer.load_state_dict(progress["optimizer"])
        for parameter, buffers in self.optimizer.state.items():
            if any(b.shape not in (parameter.shape, ()) for b in buffers.values()):
                raise ValueError("a value of the optimizer has another shape than its weight")
        self.epoch, self.step = int(progress["epoch"]), int(progress["step"])
        self.loss_sum.copy_(progress["loss_sum"])
        self.num_correct.copy_(progress["num_correct"])
        self.num_seen = int(progress["num_seen"])
        self.num_timed = int(progress.get("num_timed", 0))
        self.train_s = float(progress.get("train_s", 0.0))

    def reset_sums(self) -> None:
        """Starts the sums of the next epoch."""
        self.loss_sum.zero_()
        self.num_correct.zero_()
        self.num_seen = 0
        self.num_timed, self.train_s = 0, 0.0


def initial_model(config: TrainConfig, batches: TrainingBatches, runtime: Runtime) -> nn.Module:
    """The network before its first step, on the runtime's device."""
    with seeded(derive_seed(config.seed, Purpose.INIT), torch.device("cpu")):
        model = create_model(config.model, len(batches.data.classes))
    if config.weights:
        load_weights(read_checkpoint(Path(config.weights)), model)
    elif hasattr(model, "init_from_data"):  # a whitening first layer looks at the images
        model.init_from_data(batches.sample(5000).cpu())  # pyright: ignore[reportCallIssue] # a method by its model's contract
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = config.bn_momentum
    moved = model.to(runtime.torch_device)
    return moved.to(memory_format=runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
