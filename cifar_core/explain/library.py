"""The classes of pytorch-grad-cam, adapted so that their maps are correct and comparable."""

import functools
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar_core.data.arrays import Floats
from cifar_core.explain.layers import module_of
from cifar_core.explain.methods import Method

if TYPE_CHECKING:
    from torch import Tensor, nn


def library_cam(private: "nn.Module", layer: str, method: Method) -> Any:
    """The library's CAM object on a private copy; its hooks disappear with that copy."""
    import torch

    target = module_of(private, layer)
    if method.uses_gradients:
        target.register_forward_hook(_begin_graph)
    own = {"ablation_layer": _zeroing()()} if method.library == "AblationCAM" else {}
    # Without a clone, an in-place operation after the layer would change the stored activations.
    return _recording(method.library)(
        model=private, target_layers=[target], reshape_transform=torch.clone, **own
    )


def enlarged(raw: Floats, size: Sequence[int]) -> Floats:
    """(B, h, w) maps at the size (H, W) of the image, as the library's `scale_cam_image` does it.

    But not scaled: the library scales each map to 0..1 before and after, so that it is lost how
    strong the map was, and by how much bilinear interpolation lowered its peak.
    """
    import cv2

    height, width = size
    return np.stack([cv2.resize(each, (width, height)) for each in raw]).astype(np.float32)


def _begin_graph(module: "nn.Module", inputs: Any, output: "Tensor") -> "Tensor":
    """Starts the autograd graph at the layer: earlier layers and weights need no gradient.

    A clone may be changed in place, a leaf may not. If a layer runs twice, the graph has already
    started.
    """
    return output if output.requires_grad else output.detach().requires_grad_().clone()


@functools.cache
def _zeroing() -> Any:
    """An ablation layer that sets channels to 0.

    The library's own sets them to -1e7 where any output is negative, and shares one such layer.
    """
    from pytorch_grad_cam.ablation_layer import AblationLayer

    class Zeroing(AblationLayer):
        def __call__(self, x: "Tensor") -> "Tensor":
            rows = range(len(self.activations))
            self.activations[rows, np.asarray(self.indices)[: len(rows)]] = 0
            return self.activations

    return Zeroing


@functools.cache
def _recording(name: str) -> Any:
    """The library's class of this name, which also records maps before scaling."""
    import pytorch_grad_cam

    kind: Any = getattr(pytorch_grad_cam, name)
    module: Any = sys.modules[kind.__module__]
    if hasattr(module, "tqdm"):  # it would print a progress bar per image
        module.tqdm = SimpleNamespace(tqdm=iter)

    class Recording(kind):
        """Records `raw` of the latest batch: (B, h, w) float32, at least 0, NaN if not finite."""

        raw: Floats

        def save_activation(self, module: Any, inputs: Any, output: "Tensor") -> None:
            """AblationCAM's own hook; a clone for the same reason as in `library_cam`."""
            self.activations = output.clone()

        def get_cam_weights(self, *args: Any, **kwargs: Any) -> Any:
            """As the library's; for AblationCAM the drop of the score, not its relative drop.

            The library divides by the score; a negative score would invert the map.
            """
            weights = super().get_cam_weights(*args, **kwargs)
            if name != "AblationCAM":
                return weights
            targets = args[2]
            scores = [float(target(out)) for target, out in zip(targets, self.outputs, strict=True)]
            return weights * np.array(scores, np.float32)[:, None]

        def get_cam_image(self, *args: Any, **kwargs: Any) -> Floats:
            """(B, H, W) before ReLU; all 0 for a map with a value that is not finite."""
            # GradCAM++ and XGradCAM divide by sums that may vanish.
            with np.errstate(all="ignore"):
                cams = super().get_cam_image(*args, **kwargs)
            finite = np.isfinite(cams).all(axis=(1, 2))[:, None, None]
            self.raw = np.where(finite, np.maximum(cams, 0), np.nan).astype(np.float32)
            return np.where(finite, cams, 0)

    return Recording
