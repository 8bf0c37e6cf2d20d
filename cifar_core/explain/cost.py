"""Estimated time of slow maps."""

import time
from typing import TYPE_CHECKING

from cifar_core.explain.layers import TargetLayer
from cifar_core.explain.methods import METHODS

if TYPE_CHECKING:
    from torch import nn


def forward_s(model: "nn.Module", num_images: int = 32) -> float:
    """Seconds per image of a forward pass in a batch, measured on this machine."""
    import torch

    images = torch.zeros(num_images, 3, 32, 32)
    with torch.inference_mode():
        model(images)
        started = time.perf_counter()
        model(images)
    return (time.perf_counter() - started) / num_images


def cost_s(method: str, layer: TargetLayer, num_images: int, pass_s: float) -> float:
    """Expected seconds of maps with a slow method; 0 for the others.

    Args:
        pass_s: Seconds per image; see `forward_s`.
    """
    return pass_s * layer.channels * num_images if METHODS[method].slow else 0.0
