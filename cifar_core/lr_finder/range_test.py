"""The LR test by torch-lr-finder, with a run's own model, optimizer, loss and batches.

It blocks, because the library does; what it finds is passed on step by step, nothing is kept.
"""

import contextlib
import io
import itertools
import math
import os
import sys
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig
from cifar_core.data import Dataset
from cifar_core.records.records import LRPoint

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

Ending = Literal["completed", "diverged", "not a number", "stopped"]


def explain_ending(ending: str, points: Sequence[LRPoint], find: LRTestConfig) -> str:
    """Why a test ended, in a sentence."""
    at = f"after {points[-1].step if points else 0} of {find.num_steps} steps"
    if points:
        at += f", at lr {points[-1].lr:.2g}"
    reasons = {
        "completed": f"Completed {find.num_steps} steps.",
        "diverged": f"The loss rose above {find.diverge_factor:g} times its lowest {at}.",
        "not a number": f"The loss became NaN or infinite {at}.",
        "stopped": f"Stopped {at}.",
    }
    return reasons.get(ending, "")


class _EndOfTest(Exception):
    """Leaves the library's loop; its argument is the `Ending`."""


def range_test(
    config: TrainConfig,
    find: LRTestConfig,
    data: Dataset,
    publish: Callable[[LRPoint], None],
    should_stop: Callable[[], bool],
) -> Ending:
    """Trains a model of its own while the learning rate rises from step to step.

    The first steps of a run with this config would see the same batches, weights and dropout;
    schedule and EMA play no part. Random state is as before afterwards.

    Args:
        publish: Called with every finished step at once; every loss in it is finite.
        should_stop: Asked before every step.

    Returns:
        Why it ended.

    Source: Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3.
    """
    from cifar_core.system.runtime import choose_runtime
    from cifar_core.system.seeds import seeded
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, data, runtime)
    state = TrainState(config.model_copy(update={"ema": 0.0}), batches, runtime)
    publish = _aloud(publish)
    with (
        seeded(config.seed, runtime.torch_device),
        contextlib.redirect_stdout(io.StringIO()),  # the library prints and draws a bar
        contextlib.redirect_stderr(io.StringIO()),
    ):
        try:
            return _search(batches, state, find, publish, should_stop)
        except _EndOfTest as end:
            return end.args[0]


def _aloud(publish: Callable[[LRPoint], None]) -> Callable[[LRPoint], None]:
    """The same with the output streams of now, so that `publish=print` prints."""
    out, err = sys.stdout, sys.stderr

    def call(point: LRPoint) -> None:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            publish(point)

    return call


def _search(
    batches: "TrainingBatches",
    state: "TrainState",
    find: LRTestConfig,
    publish: Callable[[LRPoint], None],
    should_stop: Callable[[], bool],
) -> Ending:
    LRFinder, TrainDataLoaderIter = library()
    _compute_as_the_engine(state.model, batches)
    objective = _Objective(batches.config, state.model)
    device = batches.runtime.torch_device
    finder = LRFinder(state.model, state.optimizer, objective, device)

    def report() -> None:
        lr, loss = finder.history["lr"][-1], finder.history["loss"][-1]
        if not math.isfinite(loss):
            raise _EndOfTest("not a number")
        publish(LRPoint(len(finder.history["loss"]), lr, loss, objective.loss.item()))

    with contextlib.closing(_stream(batches, report, should_stop)) as stream:
        finder.range_test(
            TrainDataLoaderIter(stream, auto_reset=False),
            start_lr=find.start_lr,
            end_lr=find.end_lr,
            num_iter=find.num_steps,
            step_mode=find.mode,
            smooth_f=find.smoothing,
            diverge_th=find.diverge_factor,
        )
        report()  # the library asks for no batch after the last step
    losses = finder.history["loss"]
    return "diverged" if losses[-1] > find.diverge_factor * min(losses) else "completed"


def library() -> Any:
    """The classes LRFinder and TrainDataLoaderIter."""
    os.environ.setdefault("MPLBACKEND", "Agg")  # it imports pyplot, which may find no display
    from torch_lr_finder import LRFinder, TrainDataLoaderIter

    return LRFinder, TrainDataLoaderIter


def _compute_as_the_engine(model: "nn.Module", batches: "TrainingBatches") -> None:
    """Puts autocast around the forward pass alone; the library's also takes in the loss."""
    import torch

    device, bf16 = batches.runtime.torch_device, batches.runtime.precision == "bf16"
    model.forward = torch.autocast(device.type, torch.bfloat16, bf16)(model.forward)


class _Objective:
    """The engine's objective; its value leaves out the L1 penalty, as the engine reports it.

    Attributes:
        loss: () float32, of the newest batch.
    """

    def __init__(self, config: TrainConfig, model: "nn.Module") -> None:
        self.config, self.model = config, model
        self.loss: Tensor

    def __call__(self, logits: "Tensor", targets: "Tensor") -> "Tensor":
        from cifar_core.training.loss import batch_loss
        from cifar_core.training.optim import l1_norm

        loss = batch_loss(self.config, logits, targets)
        self.loss = loss.detach()
        if not self.config.l1:
            return loss
        penalty = self.config.l1 * l1_norm(self.model)
        return loss + (penalty - penalty.detach())  # adds its gradient and the number 0


def _stream(
    batches: "TrainingBatches", report: Callable[[], None], should_stop: Callable[[], bool]
) -> Generator[tuple["Tensor", "Tensor"]]:
    """The batches of a run from its beginning on, without end, seeded as the engine does it."""
    import torch

    from cifar_core.system.seeds import Purpose, derive_seed

    for epoch in itertools.count():
        for step, batch in enumerate(batches.epoch(epoch)):
            if should_stop():
                raise _EndOfTest("stopped")
            total = epoch * batches.steps_per_epoch + step
            torch.manual_seed(derive_seed(batches.config.seed, Purpose.DROPOUT, epoch, total))
            yield batch
            report()  # asking for the next batch means that this step is done
