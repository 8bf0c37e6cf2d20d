"""A page of maps: in batches, with no more of the graph than it takes, against one by one."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.frame import Bar, Measured, Unequal, interleave

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_DIFFERENCE, MIN_PEAK = 1e-4, 1e-3


def measure(quick: bool) -> list[Measured]:
    """48 Grad-CAM maps of resnet18 at its default layer, fp32 on the CPU.

    Raises:
        Unequal: if a map, by any of the methods, differs from the library's own.
    """
    import torch

    from cifar_core.explain.gradcam import cam_maps
    from cifar_core.explain.layers import default_layer, list_layers
    from cifar_core.models import create_model

    torch.manual_seed(0)
    model = create_model("resnet18").eval()
    layer = default_layer(list_layers(model)).name
    images, classes = _images(8 if quick else 48)
    checked = _check(model, images, layer, classes, quick)
    ours_s, peer_s = interleave(
        lambda: cam_maps(model, images, layer, classes),
        lambda: one_by_one(model, images, layer, classes, "GradCAM"),
        quick,
    )
    what = f"{len(images)} Grad-CAM maps, resnet18, {layer}"
    peer = "pytorch-grad-cam one by one"
    return [Measured(what, peer, checked, ours_s, peer_s, Bar(min_ratio=3))]


def _images(count: int) -> tuple["Tensor", list[int]]:
    """Normalized test images of Shapes-10 and the class to ask each about."""
    import torch

    from cifar_core.augment.kernels import normalize
    from cifar_core.data import open_dataset

    data = open_dataset("shapes10")
    pixels = torch.from_numpy(np.array(data.test.images[:count]))
    mean, std = (torch.from_numpy(value).float() for value in (data.mean, data.std))
    return normalize(pixels, mean, std), data.test.labels[:count].tolist()


def _check(
    model: "nn.Module", images: "Tensor", layer: str, classes: list[int], quick: bool
) -> str:
    """Compares each method's maps, or with `quick` only Grad-CAM's."""
    from cifar_core.explain.methods import METHODS

    found = []
    for name in ["GradCAM"] if quick else METHODS:
        try:
            found.append(f"{name} {_compared(model, images, layer, classes, name)}")
        except Unequal as error:
            raise Unequal(f"{name}: {error}") from None
    return f"largest difference of any pixel, on the scale 0..1: {', '.join(found)}"


def _compared(
    model: "nn.Module", images: "Tensor", layer: str, classes: list[int], name: str
) -> str:
    """The largest difference, and how many maps were compared to the nearest of several."""
    from threadpoolctl import threadpool_limits

    from cifar_core.explain.gradcam import cam_maps
    from cifar_core.explain.methods import METHODS

    library = METHODS[name].library
    found = cam_maps(model, images, layer, classes, name)
    # On a busy machine EigenCAM's small SVDs take minutes on several threads.
    with threadpool_limits(1, "blas"):
        plain = one_by_one(model, images, layer, classes, library)
        apart = np.abs(found.maps - plain).max(axis=(1, 2)) > MAX_DIFFERENCE
        rows = np.flatnonzero(apart & (found.peaks > MIN_PEAK))
        for row in rows:
            near = _rounded_otherwise(images[row])
            maps = one_by_one(model, near, layer, [classes[row]] * len(near), library)
            plain[row] = nearest(found.maps[row], maps)
    largest = f"{largest_difference(found.maps, plain, found.peaks):.1e}"
    return f"{largest} ({len(rows)} maps at the edge of a ReLU)" if len(rows) else largest


def _rounded_otherwise(image: "Tensor") -> "Tensor":
    """(16, 3, 32, 32) copies of an image a rounding error apart.

    Where the input of a ReLU is 0 but for rounding, chance decides whether a gradient flows, and
    the map jumps: at one image in a hundred or so. One of these has ours then.
    """
    import torch

    noise = torch.randn(16, *image.shape, generator=torch.Generator().manual_seed(0))
    return image + 1e-6 * noise


def nearest(map_: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """The one of (N, H, W) maps that differs least from an (H, W) map."""
    return others[np.abs(others - map_).max(axis=(1, 2)).argmin()]


def one_by_one(
    model: "nn.Module", images: "Tensor", layer: str, classes: list[int], library: str
) -> NDArray[np.float32]:
    """(N, 32, 32) maps as the library's README makes them: one object, one image at a time."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    kind: Any = getattr(pytorch_grad_cam, library)
    maps = []
    with kind(model=model, target_layers=[model.get_submodule(layer)]) as cam:
        for image, number in zip(images, classes, strict=True):
            maps.append(cam(input_tensor=image[None], targets=[ClassifierOutputTarget(number)])[0])
    return np.stack(maps)


def largest_difference(
    ours: NDArray[np.float32], plain: NDArray[np.float32], peaks: NDArray[np.float32]
) -> float:
    """Between (N, H, W) maps whose (N,) peak is not tiny; the others are stretched noise.

    Raises:
        Unequal: if it is too large, or no map has a peak.
    """
    sure = peaks > MIN_PEAK
    found = np.abs(ours - plain)[sure].max(initial=0)
    # Written so that NaN fails, too.
    if not (sure.any() and found <= MAX_DIFFERENCE):
        raise Unequal(f"{sure.sum()} of {len(sure)} maps have a peak, and differ by {found:.1e}")
    return float(found)
