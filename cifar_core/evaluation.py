"""What a model says of a split: log-probabilities, loss, accuracy, features."""

import contextlib
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
HALF = 65504.0  # the largest float16


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
    """A checkpoint's model, ready to say what it takes images for.

    Args:
        flip: Whether the logits of each image and of its mirror image are averaged.
    """

    def __init__(self, checkpoint: Checkpoint, config: TrainConfig, flip: bool = False) -> None:
        # What was trained in bf16 elsewhere is evaluated in what suits this machine.
        precision = "fp32" if config.precision == "fp32" else "auto"
        self.runtime = choose_runtime("auto", precision, config.memory_format)
        model = load_model(checkpoint).to(self.runtime.torch_device)
        model = model.to(memory_format=self.runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
        self.last = last_layer(model)
        self.model = Mirrored(model) if flip else model
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

    def with_features(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """(B, K) log-probabilities and (B, D) features: what the last layer is given.

        Averaged over the places where that is a grid. With `flip` those of the image itself.
        """
        with inputs_of(self.last) as seen:
            log_probs = self(pixels)
        features = seen[0].float()
        features = features.mean(dim=(2, 3)) if features.ndim == 4 else features
        return log_probs, features.clamp(-HALF, HALF).cpu().numpy().astype(np.float16)


class Mirrored(nn.Module):
    """Test-time flip: the mean logits of an image and of its mirror image.

    Source: He et al. 2016 average over crops and flips, https://arxiv.org/abs/1512.03385; flips
    alone as in https://github.com/KellerJordan/cifar10-airbench.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalised images to (B, K) logits."""
        return (self.model(images) + self.model(images.flip(3))) / 2


def last_layer(model: nn.Module) -> nn.Module:
    """The last module with weights of its own to be called: what makes logits of features."""
    called: list[nn.Module] = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: called.append(module))
        for module in model.modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    try:
        with torch.inference_mode():
            black = torch.zeros(1, 3, 32, 32, device=next(model.parameters()).device)
            model.eval()(black)
    finally:
        for handle in handles:
            handle.remove()
    return called[-1]


@contextlib.contextmanager
def inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Notes what a layer is given, call by call, as long as the block lasts."""
    seen: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        handle.remove()


def fill_table(
    checkpoint: Checkpoint,
    config: TrainConfig,
    examples: Examples,
    log_probs: NDArray[np.float32],
    features: list[NDArray[np.float16]] | None = None,
    flip: bool = False,
) -> Iterator[Progress]:
    """Fills (N, K) log-probabilities of a checkpoint on the images of a split, in order.

    Args:
        features: Takes the (B, D) features of the images too, batch by batch.
        flip: See `Judge`.

    Raises:
        CheckpointError: if its weights are damaged.
    """
    judge, total = Judge(checkpoint, config, flip), len(log_probs)
    for start in range(0, total, BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, total))
        log_probs[rows], part = judge.with_features(examples.pixels(rows))
        if features is not None:
            features.append(part)
        yield Progress(f"Evaluating {examples.split}", int(rows[-1]) + 1, total, "images")
