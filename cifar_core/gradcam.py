"""Where a network looked: class activation maps of pytorch-grad-cam, and how they are painted.

Says nothing of what the network predicted; `evaluation` does.
"""

import functools
import operator
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import ConfigError
from cifar_core.layers import find_layer, private_copy, trace
from cifar_core.turns import leaving_room

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Method:
    """A way to weigh a layer's channels."""

    library: str  # the class in pytorch-grad-cam
    about: str
    source: str
    uses_class: bool = True  # whether the map depends on the class asked about


METHODS: dict[str, Method] = {
    "GradCAM": Method(
        "GradCAM",
        "Weighs each channel by its mean gradient; the usual reference.",
        "Selvaraju et al. 2016, https://arxiv.org/abs/1610.02391",
    ),
    "GradCAM++": Method(
        "GradCAMPlusPlus",
        "Weighs by rising gradients only, so that several objects of a class all show.",
        "Chattopadhyay et al. 2017, https://arxiv.org/abs/1710.11063",
    ),
    "HiResCAM": Method(
        "HiResCAM",
        "Multiplies gradient and activation cell by cell; shows no place that was not used.",
        "Draelos & Carin 2020, https://arxiv.org/abs/2011.08891",
    ),
    "LayerCAM": Method(
        "LayerCAM",
        "Keeps only positive gradients, cell by cell; sharp in early layers too.",
        "Jiang et al. 2021, https://ieeexplore.ieee.org/document/9462463",
    ),
    "XGradCAM": Method(
        "XGradCAM",
        "Weighs each channel by its gradient where it is active.",
        "Fu et al. 2020, https://arxiv.org/abs/2008.02312",
    ),
    "EigenCAM": Method(
        "EigenCAM",
        "Shows the activations' first principal component; the same for every class.",
        "Muhammad & Yeasin 2020, https://arxiv.org/abs/2008.00299",
        uses_class=False,
    ),
}


@dataclass(frozen=True)
class CamMaps:
    """One map per image.

    Attributes:
        maps: (N, H, W) float32, each stretched to 0..1 by the library, as large as its image.
        peaks: (N,) float32, each map's highest value before it was stretched. Near 0 the map is
            stretched noise; where it is NaN the method has no finite map and the map is all 0.
        grid: Height and width of the layer, before the maps were enlarged.
    """

    maps: Floats
    peaks: Floats
    grid: tuple[int, int]


def cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    classes: Sequence[int] | NDArray[Any],
    method: str = "GradCAM",
    batch_size: int = 48,
) -> CamMaps:
    """Maps of what in each image speaks for its class, in the eyes of one layer.

    The model is only read. Works under `no_grad` and `inference_mode` alike.

    Args:
        model: From (B, 3, 32, 32) to (B, K), in any mode, on any device.
        images: (N, 3, 32, 32) float32, normalised.
        layer: A name of `list_layers`.
        classes: (N,) whole numbers in 0..K-1; what to ask each image about.

    Raises:
        ConfigError: if method, layer or a class is unknown, or there is not one class per image.
    """
    if method not in METHODS:
        raise ConfigError(f"Unknown method {method!r}. Available: {', '.join(METHODS)}.")
    wanted = [operator.index(number) for number in classes]
    if len(wanted) != len(images):
        raise ConfigError(
            f"{len(wanted)} classes were given for {len(images)} images. Give one for each image."
        )
    # Modes belong to a thread, and nothing inside inference mode can leave it: a new thread does.
    args = (model, images, layer, wanted, METHODS[method], batch_size)
    with ThreadPoolExecutor(1, "maps") as thread:
        return thread.submit(_cam_maps, *args).result()


def _cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    classes: list[int],
    method: Method,
    batch_size: int,
) -> CamMaps:
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    from threadpoolctl import threadpool_limits

    # Beside a training run, EigenCAM's many small SVDs take 50 times longer on two BLAS threads.
    with _lock(), leaving_room(), threadpool_limits(1, "blas"):
        private = private_copy(model)
        layers, num_classes = trace(private)
        found = find_layer(layers, layer)
        _check_classes(classes, num_classes)
        cam = _library_cam(private, layer, method)
        maps = np.zeros((len(images), *images.shape[2:]), np.float32)
        peaks = np.zeros(len(images), np.float32)
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            # A clone, as an image made in inference mode may not enter a graph.
            inputs = images[part].detach().float().clone()
            targets = [ClassifierOutputTarget(number) for number in classes[part]]
            maps[part] = cam(input_tensor=inputs, targets=targets)
            peaks[part] = cam.peaks
    return CamMaps(maps, peaks, (found.height, found.width))


@functools.cache
def _lock() -> threading.Lock:
    """One batch of maps at a time, since each takes a copy of its model and all cores."""
    return threading.Lock()


def _check_classes(classes: list[int], num_classes: int) -> None:
    for number in classes:
        if not 0 <= number < num_classes:
            raise ConfigError(f"There is no class {number}; give 0 to {num_classes - 1}.")


def _library_cam(private: "nn.Module", layer: str, method: Method) -> Any:
    """The library's object on a private copy; its hooks go with that copy."""
    import torch

    target = private.get_submodule(layer)
    if method.uses_class:
        target.register_forward_hook(_begin_graph)
    # Without a clone, an in-place step after the layer would change what the library has kept.
    return _recording(method.library)(
        model=private, target_layers=[target], reshape_transform=torch.clone
    )


def _begin_graph(module: "nn.Module", inputs: Any, output: "Tensor") -> "Tensor":
    """Starts the graph at the layer: what lies before needs no gradient, nor do any weights.

    The clone may be changed in place, which a leaf may not. Where a layer runs twice, the graph
    has begun already.
    """
    return output if output.requires_grad else output.detach().requires_grad_().clone()


@functools.cache
def _recording(name: str) -> Any:
    """The library's class of this name, which also notes the peaks before it stretches maps."""
    import pytorch_grad_cam

    kind: Any = getattr(pytorch_grad_cam, name)

    class Recording(kind):
        """Keeps (B,) float32 `peaks` of the latest batch."""

        peaks: Floats

        def get_cam_image(self, *args: Any, **kwargs: Any) -> Floats:
            """(B, H, W) not yet rectified; zeros where a value is not finite."""
            # GradCAM++ and XGradCAM divide by sums that may vanish.
            with np.errstate(all="ignore"):
                raw = super().get_cam_image(*args, **kwargs)
                finite = np.isfinite(raw).all(axis=(1, 2))
                self.peaks = np.where(finite, np.maximum(raw.max(axis=(1, 2)), 0), np.nan)
            return np.where(finite[:, None, None], raw, 0)

    return Recording


def overlay(image: Pixels, cam: Floats, opacity: float, scale: int = 8) -> Pixels:
    """The (H, W, 3) image under its (H, W) map in 0..1, both enlarged `scale` times.

    The map hides nothing at opacity 0 and everything at 1. A plain weighted mean, so that the
    photo's brightness does not depend on the map.

    Raises:
        ConfigError: if the opacity is not within 0..1.
    """
    if not 0 <= opacity <= 1:
        raise ConfigError(f"opacity = {opacity!r} is not accepted; give a number from 0 to 1.")
    mixed = (1 - opacity) * image + opacity * heat(cam)
    return _enlarged(np.rint(mixed).astype(np.uint8), scale)


def heat(cam: Floats, scale: int = 1) -> Pixels:
    """The map alone in colours from black over red to yellow; (H, W) to (H * scale, W * scale, 3).

    Inferno, since its lightness rises evenly with the value: it can be read without colour vision
    and shows no edges where the map has none, as rainbows do.
    """
    levels = np.rint(np.clip(cam, 0, 1) * 255).astype(np.uint8)
    return _enlarged(_inferno()[levels], scale)


def _enlarged(pixels: Pixels, scale: int) -> Pixels:
    """Nearest neighbour, for the map too: its values are per pixel, and stay on theirs."""
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


@functools.cache
def _inferno() -> Pixels:
    """(256, 3) uint8 RGB."""
    import cv2

    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[:, 0, ::-1].astype(np.uint8)
