"""The layers of a network at which a map can be computed.

A containing Sequential is not listed: its output is that of its last member.
"""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cifar_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

IMAGE_SHAPE = (3, 32, 32)
# Grids coarser than 8x8 hardly locate anything in 32x32 pixels.
COARSE = 7


@dataclass(frozen=True)
class TargetLayer:
    """A layer whose output has more than one spatial position.

    Attributes:
        name: Dotted path in the model.
        offered: Whether it is a block, or a convolution outside blocks; the others, inside blocks
            or without weights, are listed under "All layers".
    """

    name: str
    channels: int
    height: int
    width: int
    offered: bool

    @property
    def label(self) -> str:
        """Display name, such as "layer3.1 (256x8x8)"."""
        return f"{self.name} ({self.channels}x{self.height}x{self.width})"


def list_layers(model: "nn.Module") -> list[TargetLayer]:
    """The layers of `model` at which a map can be computed, in forward order.

    Members come before their block. Traced with one black image on a copy of the model, so other
    threads may use `model` meanwhile.
    """
    return trace(private_copy(model))[0]


def default_layer(layers: list[TargetLayer]) -> TargetLayer:
    """The last offered layer with sides larger than 7, else the offered one of the finest grid.

    Raises:
        ConfigError: if none is offered.
    """
    offered = [layer for layer in layers if layer.offered]
    if not offered:
        raise ConfigError("This model has no layer for Grad-CAM. Choose another model.")
    fine = [layer for layer in offered if min(layer.height, layer.width) > COARSE]
    return fine[-1] if fine else max(offered, key=lambda layer: layer.height * layer.width)


def find_layer(layers: list[TargetLayer], name: str) -> TargetLayer:
    """The layer of this name, offered or not.

    Raises:
        ConfigError: if there is no such layer, or its output has no spatial grid.
    """
    for layer in layers:
        if layer.name == name:
            return layer
    offered = ", ".join(layer.name for layer in layers if layer.offered)
    raise ConfigError(f"There is no layer {name!r} for Grad-CAM. Choose one of: {offered}.")


def private_copy(model: "nn.Module") -> "nn.Module":
    """A copy in evaluation mode and float32 that shares no tensor with `model`; all frozen."""
    return copy.deepcopy(model).eval().float().requires_grad_(False)


def trace(private: "nn.Module") -> tuple[list[TargetLayer], int]:
    """The layers of a private copy as `list_layers` has them, and the number of classes K."""
    import torch

    sizes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any) -> None:
        sizes[name] = tuple(output.shape) if isinstance(output, torch.Tensor) else ()

    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
        for name, module in private.named_modules()
    ]
    try:
        with torch.no_grad():
            device = next(private.parameters()).device
            private(torch.zeros(1, *IMAGE_SHAPE, device=device))
    finally:
        for handle in handles:
            handle.remove()
    num_classes = sizes.pop("")[1]
    offered = _offered(private)
    layers = [
        TargetLayer(name, *size[1:], offered=name in offered)
        for name, size in sizes.items()
        if len(size) == 4 and size[2:] != (1, 1) and not _is_container(private, name)
    ]
    return layers, num_classes


def _offered(model: "nn.Module") -> set[str]:
    """Names of the blocks, and of the convolutions outside them."""
    from torch import nn

    modules = {name: module for name, module in model.named_modules() if name}
    blocks = {
        name
        for name, module in modules.items()
        if any(module.children()) and not _is_container(model, name)
    }
    free = {
        name
        for name, module in modules.items()
        if isinstance(module, nn.Conv2d)
        and not any(name.startswith(f"{block}.") for block in blocks)
    }
    return blocks | free


def _is_container(model: "nn.Module", name: str) -> bool:
    from torch import nn

    return isinstance(model.get_submodule(name), nn.Sequential | nn.ModuleList | nn.ModuleDict)
