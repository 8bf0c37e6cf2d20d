"""Where a network looked: class activation maps of pytorch-grad-cam.

Says nothing of what the network predicted; `evaluation` does.
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
from cifar_core.explain.library import library_cam
from cifar_core.explain.methods import METHODS, RANDOM, RANDOM_METHOD, Method
from cifar_core.system.threads import reduced_threads

if TYPE_CHECKING:
    from torch import Tensor, nn

# A class, or one rather than another: (cat, dog) is what speaks for cat and not for dog.
Target = int | tuple[int, int]


@dataclass(frozen=True)
class CamMaps:
    """One map per image.

    Attributes:
        maps: (N, H, W) float32, each stretched to 0..1 by the library, as large as its image.
        peaks: (N,) float32, each map's highest value before it was stretched. Near 0 the map is
            stretched noise; where it is NaN the method has no finite map and the map is all 0.
        lows: (N,) float32, each map's lowest value before it was stretched, at least 0.
        grid: Height and width of the layer, before the maps were enlarged.
    """

    maps: Floats
    peaks: Floats
    lows: Floats
    grid: tuple[int, int]

    @classmethod
    def joined(cls, parts: "Sequence[CamMaps]") -> "CamMaps":
        """Those of several batches at the same layer as one."""
        arrays = ([getattr(one, name) for one in parts] for name in ("maps", "peaks", "lows"))
        maps, peaks, lows = (np.concatenate(array) for array in arrays)
        return cls(maps, peaks, lows, parts[0].grid)

    @property
    def raw(self) -> Floats:
        """(N, H, W) float32, the maps before they were stretched, which can be compared.

        The library stretches once more after enlarging, so a peak of a single cell of a coarse
        grid comes back up to a seventh too strong.
        """
        low, peak = (np.nan_to_num(v)[:, None, None] for v in (self.lows, self.peaks))
        return (self.maps * (peak - low) + low).astype(np.float32)


def on_shared_scale(parts: Sequence[CamMaps]) -> list[Floats]:
    """The maps of several, of one layer and method, all from 0 to the highest value among them.

    The library stretches each map by itself, so that a faint one looks as strong as any.
    """
    raws = [part.raw for part in parts]
    most = max((float(raw.max(initial=0)) for raw in raws), default=0.0)
    return [raw / max(most, 1e-12) for raw in raws]


def cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    classes: Sequence[Target] | NDArray[Any],
    method: str = "GradCAM",
    batch_size: int = 48,
) -> CamMaps:
    """Maps of what in each image speaks for its class, in the eyes of one layer.

    The model is only read. Works under `no_grad` and `inference_mode` alike.

    Args:
        model: From (B, 3, 32, 32) to (B, K), in any mode, on any device.
        images: (N, 3, 32, 32) float32, normalised.
        layer: A name of `list_layers`.
        classes: (N,) whole numbers in 0..K-1, or pairs of them; what to ask each image about.

    Raises:
        ConfigError: if method, layer or a class is unknown, or there is not one class per image.
    """
    if method not in (*METHODS, RANDOM):
        raise ConfigError(f"Unknown method {method!r}. Available: {', '.join(METHODS)}.")
    wanted = [_plain(target) for target in classes]
    if len(wanted) != len(images):
        raise ConfigError(
            f"{len(wanted)} classes were given for {len(images)} images. Give one for each image."
        )
    # Modes belong to a thread, and nothing inside inference mode can leave it: a new thread does.
    args = (model, images, layer, wanted, METHODS.get(method, RANDOM_METHOD), batch_size)
    with ThreadPoolExecutor(1, "maps") as thread:
        return thread.submit(_cam_maps, *args).result()


def _cam_maps(
    model: "nn.Module",
    images: "Tensor",
    layer: str,
    classes: list[Target],
    method: Method,
    batch_size: int,
) -> CamMaps:
    from threadpoolctl import threadpool_limits

    # Beside a training run, EigenCAM's many small SVDs take 50 times longer on two BLAS threads.
    with _lock(), reduced_threads(), threadpool_limits(1, "blas"), _fixed_chance():
        private = private_copy(model)
        layers, num_classes = trace(private)
        found = find_layer(layers, layer)
        _check_classes(classes, num_classes)
        cam = library_cam(private, layer, method)
        maps = np.zeros((len(images), *images.shape[2:]), np.float32)
        peaks, lows = np.zeros((2, len(images)), np.float32)
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            # A clone, as an image made in inference mode may not enter a graph.
            inputs = images[part].detach().float().clone()
            targets = [_score(target) for target in classes[part]]
            maps[part] = cam(input_tensor=inputs, targets=targets)
            peaks[part], lows[part] = cam.peaks, cam.lows
    return CamMaps(maps, peaks, lows, (found.height, found.width))


def _plain(target: Any) -> Target:
    """A class or a pair of classes as Python's own whole numbers."""
    if isinstance(target, tuple):
        return operator.index(target[0]), operator.index(target[1])
    return operator.index(target)


def _score(target: Target) -> "Callable[[Tensor], Tensor]":
    """From (K,) logits to what a map is to explain."""
    if isinstance(target, int):
        return lambda logits: logits[target]
    return lambda logits: logits[target[0]] - logits[target[1]]


@contextlib.contextmanager
def _fixed_chance() -> Iterator[None]:
    """Seeds numpy's global generator, which RandomCAM draws from, and puts it back."""
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


def _check_classes(classes: list[Target], num_classes: int) -> None:
    for number in [n for target in classes for n in np.atleast_1d(target).tolist()]:
        if not 0 <= number < num_classes:
            raise ConfigError(f"There is no class {number}; give 0 to {num_classes - 1}.")
