"""Inference of a checkpoint: log-probabilities and features of images."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cifar_core.checkpoints.checkpoint import Checkpoint, load_model
from cifar_core.config.train import TrainConfig
from cifar_core.data.arrays import Floats
from cifar_core.evaluation.features import write_values
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import EvalSplit, predictions_path, write_predictions
from cifar_core.system.progress import Progress
from cifar_core.system.runtime import choose_runtime
from cifar_core.system.threads import reduced_threads
from cifar_core.training.inference import BATCH_SIZE, log_probabilities

FLOAT16_MAX = 65504.0


class Predictor:
    """A checkpoint's model, ready to predict.

    Args:
        flip: Whether to average the logits of each image and its mirror image (TTA).
    """

    def __init__(self, checkpoint: Checkpoint, config: TrainConfig, flip: bool = False) -> None:
        # A model trained in bf16 elsewhere is evaluated in the precision that suits this machine.
        precision = "fp32" if config.precision == "fp32" else "auto"
        self.runtime = choose_runtime("auto", precision, config.memory_format)
        model = load_model(checkpoint).to(self.runtime.torch_device)
        model = model.to(memory_format=self.runtime.torch_memory_format)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
        self.last = last_layer(model)
        self.model = FlipTTA(model) if flip else model
        self.mean, self.std = (
            torch.tensor(values, dtype=torch.float32, device=self.runtime.device)
            for values in checkpoint.normalization
        )
        self.batch_size = BATCH_SIZE

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, K) log-probabilities of at most `batch_size` (B, 32, 32, 3) images."""
        images = torch.from_numpy(pixels)
        with reduced_threads():
            (log_probs,) = log_probabilities(self.model, images, self.mean, self.std, self.runtime)
        return log_probs.numpy()

    def with_features(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """(B, K) log-probabilities and (B, D) features, the inputs of the last layer.

        Averaged over a spatial grid. With `flip`, those of the image itself.
        """
        with recorded_inputs(self.last) as recorded:
            log_probs = self(pixels)
        features = recorded[0].float()
        features = features.mean(dim=(2, 3)) if features.ndim == 4 else features
        return log_probs, features.clamp(-FLOAT16_MAX, FLOAT16_MAX).cpu().numpy().astype(np.float16)


class FlipTTA(nn.Module):
    """Test-time flip: the mean logits of an image and of its mirror image.

    Source: He et al. 2016 average over crops and flips, https://arxiv.org/abs/1512.03385; flips
    alone as in https://github.com/KellerJordan/cifar10-airbench.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalized images to (B, K) logits."""
        return (self.model(images) + self.model(images.flip(3))) / 2


def last_layer(model: nn.Module) -> nn.Module:
    """The last module with parameters that runs: it turns features into logits."""
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
def recorded_inputs(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Records the inputs of a layer, call by call, inside the block."""
    recorded: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, inputs: recorded.append(inputs[0]))
    try:
        yield recorded
    finally:
        handle.remove()


def predict_split(
    checkpoint: Checkpoint,
    config: TrainConfig,
    examples: EvalSplit,
    log_probs: NDArray[np.float32],
    features: list[NDArray[np.float16]] | None = None,
    flip: bool = False,
) -> Iterator[Progress]:
    """Fills (N, K) log-probabilities of a checkpoint on the images of a split, in order.

    Args:
        features: A list that receives the (B, D) features of each batch.
        flip: See `Predictor`.

    Raises:
        CheckpointError: if its weights are damaged.
    """
    predictor = Predictor(checkpoint.for_split(examples.split), config, flip)
    total = len(log_probs)
    for start in range(0, total, BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, total))
        log_probs[rows], batch = predictor.with_features(examples.pixels(rows))
        if features is not None:
            features.append(batch)
        yield Progress(f"Evaluating {examples.split}", int(rows[-1]) + 1, total, "images")


def evaluate(
    folder: Path,
    note: PredictionsNote,
    checkpoint: Checkpoint,
    config: TrainConfig,
    examples: EvalSplit,
    reduce: Callable[[Floats], Floats] | None = None,
) -> Iterator[Progress]:
    """Predicts the images of a split; then stores the features, and last the predictions.

    Args:
        folder: Of the run, or where else what is made from it lies.
        note: What the predictions are of; says whether TTA (flip) is on.
        reduce: Makes fewer columns of the features.

    Raises:
        CheckpointError: if its weights are damaged.
    """
    log_probs = np.empty((len(examples.labels), len(examples.classes)), np.float32)
    batches: list[NDArray[np.float16]] = []
    yield from predict_split(checkpoint, config, examples, log_probs, batches, note.flip)
    features = np.concatenate(batches)
    if reduce:
        features = reduce(features.astype(np.float32)).astype(np.float16)
    write_values(folder, checkpoint, examples, "features", features)
    path = predictions_path(folder, checkpoint.name, examples.split, note.flip)
    write_predictions(path, log_probs, note)
