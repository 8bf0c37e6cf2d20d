"""How long a page of maps will take, before anybody waits for it."""

import time
from typing import TYPE_CHECKING

from cifar_core.explain.layers import TargetLayer
from cifar_core.explain.methods import METHODS

if TYPE_CHECKING:
    from torch import nn


def forward_s(model: "nn.Module", num_images: int = 32) -> float:
    """Seconds that one image takes through the model, as a part of a batch, on this machine."""
    import torch

    images = torch.zeros(num_images, 3, 32, 32)
    with torch.inference_mode():
        model(images)
        started = time.perf_counter()
        model(images)
    return (time.perf_counter() - started) / num_images


def cost_s(method: str, layer: TargetLayer, num_images: int, pass_s: float) -> float:
    """Seconds that maps are expected to take, beyond the moment that every method takes.

    Args:
        pass_s: What `forward_s` gives.
    """
    return pass_s * layer.channels * num_images if METHODS[method].slow else 0.0
