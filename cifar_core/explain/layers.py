"""The layers of a network at which a map can be computed.

A containing Sequential is not listed: its output is that of its last member. What a function makes
between two modules, such as a ReLU that is no module, is listed as the input of the second one.
"""

import copy
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cifar_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

IMAGE_SHAPE = (3, 32, 32)
INPUT = ".input"  # after the name of the module that it enters
# Grids coarser than 8x8 hardly locate anything in 32x32 pixels.
COARSE = 7


@dataclass(frozen=True)
class TargetLayer:
    """A layer whose output has more than one spatial position.

    Attributes:
        name: Dotted path in the model; with `INPUT` behind it, what enters that module.
        offered: Whether it is a block, or a convolution outside blocks before or after its norm
            and activation; the others are listed under "All layers".
        activated: Whether it is such a convolution after its norm and activation.
    """

    name: str
    channels: int
    height: int
    width: int
    offered: bool
    activated: bool = False

    @property
    def label(self) -> str:
        """Display name, such as "layer3.1 (256x8x8)"."""
        size = f"{self.channels}x{self.height}x{self.width}"
        return f"{self.name} ({size}{', activated' if self.activated else ''})"


def list_layers(model: "nn.Module") -> list[TargetLayer]:
    """The layers of `model` at which a map can be computed, in forward order.

    Members come before their block. Traced with one black image on a copy of the model, so other
    threads may use `model` meanwhile.
    """
    return trace(private_copy(model))[0]


def default_layer(layers: list[TargetLayer]) -> TargetLayer:
    """The last block or convolution with sides larger than 7, else that of the finest grid.

    Raises:
        ConfigError: if none is offered.
    """
    offered = [layer for layer in layers if layer.offered and not layer.activated]
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


def module_of(private: "nn.Module", layer: str) -> "nn.Module":
    """The module of a private copy that puts out this layer; before an input, one is added."""
    from torch import nn

    modules = dict(private.named_modules())
    if layer in modules:
        return modules[layer]
    name, entrance = layer.removesuffix(INPUT), nn.Identity()
    private.set_submodule(name, nn.Sequential(entrance, modules[name]))
    return entrance


def trace(private: "nn.Module") -> tuple[list[TargetLayer], int]:
    """The layers of a private copy as `list_layers` has them, and the number of classes K."""
    sizes, modules = _sizes(private), dict(private.named_modules())
    num_classes = sizes.pop("")[1]
    blocks, free = _blocks(modules), _free_convolutions(modules)
    activated = _activated(modules, sizes)
    layers = [
        TargetLayer(name, *size[1:], name in blocks | free | activated, name in activated)
        for name, size in sizes.items()
        if len(size) == 4 and size[2:] != (1, 1) and not _is_container(modules.get(name))
    ]
    return layers, num_classes


def _sizes(private: "nn.Module") -> dict[str, tuple[int, ...]]:
    """The shape of each module's output by name, in forward order; "" is the whole model.

    An input that no module has put out before is listed, too, for the outermost module it enters.
    """
    import torch

    image = torch.zeros(1, *IMAGE_SHAPE, device=next(private.parameters()).device)
    sizes: dict[str, tuple[int, ...]] = {}
    entered, tensors = set[str](), [image]  # all of them, so that no address is used again

    def note(name: str, tensor: Any) -> None:
        sizes[name] = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else ()
        tensors.append(tensor)

    def enter(name: str, inputs: tuple[Any, ...]) -> None:
        first = name not in entered  # a module that runs twice has another input then
        entered.add(name)
        if first and len(inputs) == 1 and not any(inputs[0] is tensor for tensor in tensors):
            note(name + INPUT, inputs[0])

    handles = []
    for name, module in private.named_modules():
        enters, leaves = functools.partial(enter, name), functools.partial(note, name)
        handles += [
            module.register_forward_pre_hook(lambda _, inputs, call=enters: call(inputs)),
            module.register_forward_hook(lambda _, __, output, call=leaves: call(output)),
        ]
    try:
        with torch.no_grad():
            private(image)
    finally:
        for handle in handles:
            handle.remove()
    return sizes


def _blocks(modules: "Mapping[str, nn.Module]") -> set[str]:
    """Names of the modules with members of their own, but for the containers."""
    return {
        name
        for name, module in modules.items()
        if name and any(module.children()) and not _is_container(module)
    }


def _free_convolutions(modules: "Mapping[str, nn.Module]") -> set[str]:
    """Names of the convolutions outside blocks."""
    from torch import nn

    blocks = _blocks(modules)
    convolutions = {name for name, module in modules.items() if isinstance(module, nn.Conv2d)}
    return {name for name in convolutions if not _is_inside(name, blocks)}


def _activated(
    modules: "Mapping[str, nn.Module]", sizes: Mapping[str, tuple[int, ...]]
) -> set[str]:
    """The last of what follows each free convolution at its size: its norm and activation.

    Dropout does not count: in evaluation mode it does nothing.
    """
    from torch.nn.modules.dropout import _DropoutNd

    blocks, free = _blocks(modules), _free_convolutions(modules)
    activated, last, size = set[str](), "", ()
    for name, next_size in sizes.items():
        skipped = isinstance(modules.get(name), _DropoutNd) or _is_container(modules.get(name))
        if skipped or _is_inside(name.removesuffix(INPUT), blocks):
            continue
        if name not in blocks | free and next_size == size:
            last = name
            continue
        activated.add(last)
        last, size = "", (next_size if name in free else ())
    return (activated | {last}) - {""}


def _is_inside(name: str, blocks: Collection[str]) -> bool:
    return any(name.startswith(f"{block}.") for block in blocks)


def _is_container(module: "nn.Module | None") -> bool:
    from torch import nn

    return isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)
