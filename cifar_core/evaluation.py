"""What a model says of a split: log-probabilities, loss, accuracy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cifar_core.augment.kernels import normalise
from cifar_core.checkpoint import Checkpoint, load_model
from cifar_core.config import TrainConfig
from cifar_core.data.partial import Progress
from cifar_core.runtime import Runtime, choose_runtime
from cifar_core.tables import Examples
from cifar_core.turns import leaving_room

BATCH_SIZE = 500


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy (nats) and accuracy (0..1) over a split."""

    loss: float
    acc: float


@torch.inference_mode()
def log_probabilities(
    model: nn.Module,
    images: Tensor,
    mean: Tensor,
    std: Tensor,
    runtime: Runtime,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Tensor]:
    """Yields (B, K) float32 log-probabilities on the CPU, batch by batch, in order.

    Args:
        model: Left in the mode it came in.
        images: (N, 32, 32, 3) uint8, on any device.
        mean: (3,) float32 on the runtime's device, scale 0..1; so is `std`.
    """
    device = runtime.torch_device
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size].to(device)
            inputs = normalise(batch, mean, std)
            inputs = inputs.contiguous(memory_format=runtime.torch_memory_format)
            with torch.autocast(device.type, torch.bfloat16, runtime.precision == "bf16"):
                logits = model(inputs)
            yield F.log_softmax(logits.float(), dim=1).cpu()
    finally:
        model.train(was_training)


def score(log_probs: Tensor, labels: Tensor) -> Score:
    """Loss and accuracy of (N, K) log-probabilities against (N,) labels, both on the CPU."""
    labels = labels.long()
    loss = F.nll_loss(log_probs, labels).item()
    acc = (log_probs.argmax(dim=1) == labels).float().mean().item()
    return Score(loss, acc)


class Judge:
    """A checkpoint's model, ready to say what it takes images for."""

    def __init__(self, checkpoint: Checkpoint, config: TrainConfig) -> None:
        # What was trained in bf16 elsewhere is evaluated in what suits this machine.
        precision = "fp32" if config.precision == "fp32" else "auto"
        self.runtime = choose_runtime("auto", precision, config.memory_format)
        model = load_model(checkpoint).to(self.runtime.torch_device)
        self.model = model.to(memory_format=self.runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
        self.mean, self.std = (
            torch.tensor(checkpoint.manifest[key], dtype=torch.float32, device=self.runtime.device)
            for key in ("mean", "std")
        )
        self.batch_size = BATCH_SIZE

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, K) log-probabilities of at most `batch_size` (B, 32, 32, 3) images."""
        images = torch.from_numpy(pixels)
        with leaving_room():
            (part,) = log_probabilities(self.model, images, self.mean, self.std, self.runtime)
        return part.numpy()


def fill_table(
    checkpoint: Checkpoint, config: TrainConfig, examples: Examples, log_probs: NDArray[np.float32]
) -> Iterator[Progress]:
    """Fills (N, K) log-probabilities of a checkpoint on the images of a split, in order.

    Raises:
        CheckpointError: if its weights are damaged.
    """
    judge, total = Judge(checkpoint, config), len(log_probs)
    for start in range(0, total, BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, total))
        log_probs[rows] = judge(examples.pixels(rows))
        yield Progress(f"Evaluating {examples.split}", int(rows[-1]) + 1, total, "images")
