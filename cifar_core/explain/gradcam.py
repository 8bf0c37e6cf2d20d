"""Class activation maps through pytorch-grad-cam.

Predictions are not made here; see `evaluation`.
"""

import contextlib
import functools
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.arrays import Floats
from cifar_core.errors import ConfigError
from cifar_core.explain.layers import find_layer, private_copy, trace
from cifar_core.explain.library import enlarged, library_cam
from cifar_core.explain.methods import METHODS, RANDOM, RANDOM_METHOD, Method
from cifar_core.system.threads import reduced_threads

if TYPE_CHECKING:
    from torch import Tensor, nn

# A class, or the difference of two: (cat, dog) is the logit of cat minus that of dog.
Target = int | tuple[int, int]


@dataclass(frozen=True)
class CamMaps:
    """One map per image.

    Attributes:
        maps: (N, H, W) float32, each scaled to 0..1 by the library, upsampled to the image size.
        raw: (N, H, W) float32, the same before any scaling, at least 0; comparable between images.
            NaN where the method has no finite map; that map is all 0 in `maps`.
        grid: Height and width of the layer's output, before upsampling.
    """

    maps: Floats
    raw: Floats
    grid: tuple[int, int]

    @classmethod
    def joined(cls, parts: "Sequence[CamMaps]") -> "CamMaps":
        """Joins the maps of several batches at the same layer."""
        maps, raw = (
            np.concatenate([getattr(one, name) for one in parts]) for name in ("maps", "raw")
        )
        return cls(maps, raw, parts[0].grid)

    @property
    def peaks(self) -> Floats:
        """(N,) float32, the highest value of each raw map; NaN where there is none.

        Near 0 the scaled map is amplified noise.
        """
        return self.raw.max(axis=(1, 2))


def on_shared_scale(parts: Sequence[CamMaps]) -> list[Floats]:
    """Maps of one layer and method, scaled from 0 to the highest value among them.

    The library scales each map by itself, so that a weak one looks as strong as any.
    """
    return scaled_together([part.raw for part in parts])


def scaled_together(raws: Sequence[Floats]) -> list[Floats]:
    """Raw maps, scaled from 0 to the highest value among them; what is not finite becomes 0."""
    raws = [np.nan_to_num(raw) for raw in raws]
    most = max((float(raw.max(initial=0)) for raw in raws), default=0.0)
    return [raw / max(most, 1e-12) for raw in raws]


def cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    targets: Sequence[Target] | NDArray[Any],
    method: str = "GradCAM",
    batch_size: int = 48,
) -> CamMaps:
    """Maps of the regions of each image that support its target class, at one layer.

    The model is only read. Works under `no_grad` and `inference_mode` alike.

    Args:
        model: From (B, 3, 32, 32) to (B, K), in any mode, on any device.
        images: (N, 3, 32, 32) float32, normalized.
        layer: A name of `list_layers`.
        targets: (N,) class indices in 0..K-1, or pairs of them; one target per image.

    Raises:
        ConfigError: if method, layer or a class is unknown, or there is not one target per image.
    """
    if method not in (*METHODS, RANDOM):
        raise ConfigError(f"Unknown method {method!r}. Available: {', '.join(METHODS)}.")
    plain_targets = [_as_int(target) for target in targets]
    if len(plain_targets) != len(images):
        raise ConfigError(
            f"{len(plain_targets)} target classes for {len(images)} images. Give one per image."
        )
    # Inference mode belongs to a thread and cannot be left inside it, so a new thread is used.
    args = (model, images, layer, plain_targets, METHODS.get(method, RANDOM_METHOD), batch_size)
    with ThreadPoolExecutor(1, "maps") as thread:
        return thread.submit(_cam_maps, *args).result()


def _cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    targets: list[Target],
    method: Method,
    batch_size: int,
) -> CamMaps:
    from threadpoolctl import threadpool_limits

    # Beside a training run, EigenCAM's many small SVDs take 50 times longer on two BLAS threads.
    with _lock(), reduced_threads(), threadpool_limits(1, "blas"), _fixed_numpy_seed():
        private = private_copy(model)
        layers, num_classes = trace(private)
        target_layer = find_layer(layers, layer)
        _check_classes(targets, num_classes)
        cam = library_cam(private, layer, method)
        maps, raw = np.zeros((2, len(images), *images.shape[2:]), np.float32)
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            # A clone, as an image made in inference mode may not enter a graph.
            inputs = images[part].detach().float().clone()
            functions = [_target_function(target) for target in targets[part]]
            maps[part] = cam(input_tensor=inputs, targets=functions)
            raw[part] = enlarged(cam.raw, images.shape[2:])
    return CamMaps(maps, raw, (target_layer.height, target_layer.width))


def _as_int(target: Any) -> Target:
    """A class or a pair of classes as Python ints."""
    if isinstance(target, tuple):
        return operator.index(target[0]), operator.index(target[1])
    return operator.index(target)


def _target_function(target: Target) -> "Callable[[Tensor], Tensor]":
    """Function of (K,) logits whose gradient a map shows."""
    if isinstance(target, int):
        return lambda logits: logits[target]
    return lambda logits: logits[target[0]] - logits[target[1]]


@contextlib.contextmanager
def _fixed_numpy_seed() -> Iterator[None]:
    """Seeds numpy's global generator, which RandomCAM draws from, and restores it."""
    before = np.random.get_state()  # the library's generator
    np.random.seed(0)  # as above
    try:
        yield
    finally:
        np.random.set_state(before)  # as above


@functools.cache
def _lock() -> threading.Lock:
    """One batch of maps at a time, since each takes a copy of its model and all cores."""
    return threading.Lock()


def _check_classes(targets: list[Target], num_classes: int) -> None:
    for number in [n for target in targets for n in np.atleast_1d(target).tolist()]:
        if not 0 <= number < num_classes:
            raise ConfigError(f"There is no class {number}; give 0 to {num_classes - 1}.")
