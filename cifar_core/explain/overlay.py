"""Heatmaps and overlays, enlarged without smoothing."""

import functools

import numpy as np

from cifar_core.data.arrays import Floats, Pixels
from cifar_core.errors import ConfigError


def overlay(image: Pixels, cam: Floats, opacity: float, scale: int = 8) -> Pixels:
    """The (H, W, 3) image under its (H, W) map in 0..1, both enlarged `scale` times.

    The opacity follows the map: where it is 0 the image is left as it is, and where it is 1 its
    color covers the image by `opacity`. So a map hides nothing that it says nothing about.

    Raises:
        ConfigError: if the opacity is not within 0..1.
    """
    if not 0 <= opacity <= 1:
        raise ConfigError(f"opacity = {opacity!r} is not accepted; give a number from 0 to 1.")
    alpha = opacity * np.clip(cam, 0, 1)[..., None]
    mixed = (1 - alpha) * image + alpha * heatmap(cam)
    return _enlarged(np.rint(mixed).astype(np.uint8), scale)


def heatmap(cam: Floats, scale: int = 1) -> Pixels:
    """The map in the inferno colormap, black to yellow; (H, W) to (H * scale, W * scale, 3) uint8.

    Inferno is perceptually uniform: readable without color vision, and free of the false edges
    of rainbow colormaps.
    """
    levels = np.rint(np.clip(cam, 0, 1) * 255).astype(np.uint8)
    return _enlarged(_inferno()[levels], scale)


def _enlarged(pixels: Pixels, scale: int) -> Pixels:
    """Nearest neighbor, for the map too: its values are per pixel, and stay on theirs."""
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def color_scale(steps: int = 9) -> list[str]:
    """The colors of maps as CSS, from 0 to 1."""
    levels = heatmap(np.linspace(0, 1, steps, dtype=np.float32)[None])[0]
    return [f"#{level.tobytes().hex()}" for level in levels]


@functools.cache
def _inferno() -> Pixels:
    """(256, 3) uint8 RGB."""
    import cv2

    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[:, 0, ::-1].astype(np.uint8)
