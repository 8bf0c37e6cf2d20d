"""What a model says of images: log-probabilities, loss and accuracy."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.augment.kernels import normalize
from cifar_core.system.runtime import Runtime

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
            inputs = normalize(batch, mean, std)
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
